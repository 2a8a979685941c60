// SPDX-License-Identifier: Apache-2.0
// bench_bare_consumer BROKERS TOPIC PREFETCH_KB: reads a topic from its beginning to its end with
// librdkafka, in batches from one queue that is long enough to never pause, and counts. What
// it costs is the least that a consumer made with this library can cost. Prints one line of JSON.
#include "tests/bench/kafka_client.h"

#include <cstdint>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: bench_bare_consumer BROKERS TOPIC PREFETCH_KB\n", stderr);
    return 2;
  }
  std::uint64_t records = 0, bytes = 0;
  bench::read_all(argv[1], argv[2], argv[3], [&](const rd_kafka_message_t& message) {
    ++records;
    bytes += message.len;
  });
  std::printf("{\"records\": %lu, \"bytes\": %lu, \"librdkafka\": \"%s\"}\n", records, bytes,
              rd_kafka_version_str());
  return 0;
}
