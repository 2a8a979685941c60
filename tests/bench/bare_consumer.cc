// SPDX-License-Identifier: Apache-2.0
// bench_bare_consumer BROKERS TOPIC PREFETCH_KB: reads a topic from its beginning to its end with
// librdkafka, in batches from one queue that is long enough to never pause, and counts. What
// it costs is the least that a consumer made with this library can cost. Prints one line of JSON.
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr std::size_t kBatch = 4096;
constexpr int kAskMs = 10'000;

rd_kafka_t* make_consumer(const char* brokers, const char* prefetch_kb) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const char* settings[][2] = {{"bootstrap.servers", brokers},
                               {"group.id", "bench-bare-consumer"},
                               {"enable.auto.commit", "false"},
                               {"enable.auto.offset.store", "false"},
                               {"auto.offset.reset", "error"},
                               {"enable.partition.eof", "true"},
                               {"isolation.level", "read_committed"},
                               {"queued.min.messages", "1000000"},
                               {"queued.max.messages.kbytes", prefetch_kb},
                               {"fetch.wait.max.ms", "100"}};
  char why[512];
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "%s\n", why);
      return nullptr;
    }
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (consumer == nullptr) std::fprintf(stderr, "%s\n", why);
  return consumer;
}

int partitions_of(rd_kafka_t* consumer, const char* name) {
  rd_kafka_topic_t* topic = rd_kafka_topic_new(consumer, name, nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  int count = 0;
  if (rd_kafka_metadata(consumer, 0, topic, &metadata, kAskMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (metadata->topic_cnt == 1) count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
  }
  rd_kafka_topic_destroy(topic);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: bench_bare_consumer BROKERS TOPIC PREFETCH_KB\n", stderr);
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  rd_kafka_t* consumer = make_consumer(argv[1], argv[3]);
  if (consumer == nullptr) return 1;
  rd_kafka_poll_set_consumer(consumer);
  const int partitions = partitions_of(consumer, argv[2]);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(consumer);
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(all, argv[2], p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_queue_t* own = rd_kafka_queue_get_partition(consumer, argv[2], p);
    rd_kafka_queue_forward(own, queue);
    rd_kafka_queue_destroy(own);
  }
  if (partitions == 0 || rd_kafka_assign(consumer, all) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::fprintf(stderr, "cannot read topic %s\n", argv[2]);
    return 1;
  }
  std::array<rd_kafka_message_t*, kBatch> messages{};
  std::uint64_t records = 0, bytes = 0, errors = 0;
  for (int ended = 0; ended < partitions && errors == 0;) {
    const auto count = rd_kafka_consume_batch_queue(queue, 100, messages.data(), kBatch);
    for (std::size_t i = 0; static_cast<ssize_t>(i) < count; ++i) {
      const rd_kafka_message_t& message = *messages[i];
      if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++records;
        bytes += message.len;
      } else if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ++ended;
      } else {
        ++errors;
      }
      rd_kafka_message_destroy(messages[i]);
    }
    rd_kafka_poll(consumer, 0);
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  rd_kafka_topic_partition_list_destroy(all);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  std::printf(
      "{\"records\": %lu, \"bytes\": %lu, \"errors\": %lu, \"wall\": %.6f, "
      "\"librdkafka\": \"%s\"}\n",
      records, bytes, errors, wall.count(), rd_kafka_version_str());
  return errors == 0 ? 0 : 1;
}
