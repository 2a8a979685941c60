// SPDX-License-Identifier: Apache-2.0
// A bare bulk loop, the limit of the MongoDB sink:
//   bench_bare_mongo URI FILE THREADS
// The lines of FILE become documents first; then each thread inserts its share, 2000 at a time,
// unordered, with ids of its own. Prints {"documents": N, "seconds": S} of the inserting alone.
#include <mongoc/mongoc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBatch = 2000;

std::vector<bson_t*> read_documents(const char* file) {
  std::vector<bson_t*> documents;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    bson_error_t error;
    bson_t* document = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(line.data()),
                                          static_cast<ssize_t>(line.size()), &error);
    if (document == nullptr) {
      std::fprintf(stderr, "%s\n", error.message);
      std::exit(1);
    }
    char id[33];
    std::snprintf(id, sizeof id, "%032zx", documents.size());
    BSON_APPEND_UTF8(document, "_id", id);
    documents.push_back(document);
  }
  return documents;
}

void insert(const char* uri, bson_t* const* documents, std::size_t count) {
  mongoc_client_t* client = mongoc_client_new(uri);
  mongoc_collection_t* collection = mongoc_client_get_collection(client, "bench", "bare");
  bson_t options;
  bson_init(&options);
  BSON_APPEND_BOOL(&options, "ordered", false);
  for (std::size_t first = 0; first < count; first += kBatch) {
    auto* bulk = mongoc_collection_create_bulk_operation_with_opts(collection, &options);
    for (std::size_t i = first; i < count && i < first + kBatch; ++i)
      mongoc_bulk_operation_insert_with_opts(bulk, documents[i], nullptr, nullptr);
    bson_t reply;
    bson_error_t error;
    if (mongoc_bulk_operation_execute(bulk, &reply, &error) == 0) {
      std::fprintf(stderr, "%s\n", error.message);
      std::exit(1);
    }
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
  }
  bson_destroy(&options);
  mongoc_collection_destroy(collection);
  mongoc_client_destroy(client);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  mongoc_init();
  const auto documents = read_documents(argv[2]);
  const auto threads = static_cast<std::size_t>(std::atoi(argv[3]));
  const auto begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
      const std::size_t from = documents.size() * t / threads;
      const std::size_t to = documents.size() * (t + 1) / threads;
      workers.emplace_back(insert, argv[1], documents.data() + from, to - from);
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("{\"documents\": %zu, \"seconds\": %.6f}\n", documents.size(), took.count());
}
