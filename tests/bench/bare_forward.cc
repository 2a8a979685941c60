// SPDX-License-Identifier: Apache-2.0
// bench_bare_forward BROKERS FROM TO PREFETCH_KB: sends each record of a topic to another one,
// unchanged, to the partition of the same number, with librdkafka and nothing else. The least that
// forwarding with this library can cost. Prints the number of records as JSON.
#include "tests/bench/kafka_client.h"

#include <cstdint>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: bench_bare_forward BROKERS FROM TO PREFETCH_KB\n", stderr);
    return 2;
  }
  // As streamd's sink is set by default.
  rd_kafka_t* producer =
      bench::make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", argv[1]},
                                             {"linger.ms", "5"},
                                             {"compression.codec", "lz4"},
                                             {"queue.buffering.max.messages", "200000"},
                                             {"enable.idempotence", "true"}});
  rd_kafka_topic_t* to = rd_kafka_topic_new(producer, argv[3], nullptr);
  std::uint64_t records = 0;
  bench::read_all(argv[1], argv[2], argv[4], [&](const rd_kafka_message_t& message) {
    bench::produce(producer, to, message.partition, static_cast<const char*>(message.payload),
                   message.len);
    if (++records % 1000 == 0) rd_kafka_poll(producer, 0);
  });
  bench::flush(producer);
  rd_kafka_topic_destroy(to);
  rd_kafka_destroy(producer);
  std::printf("{\"records\": %lu}\n", records);
  return 0;
}
