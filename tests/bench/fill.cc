// SPDX-License-Identifier: Apache-2.0
// bench_fill BROKERS TOPIC PARTITIONS FILE: sends each line of a file to a topic, line n to
// partition n % PARTITIONS, lz4. Prints the number of records.
#include "tests/bench/kafka_client.h"

#include <cstdint>
#include <fstream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: bench_fill BROKERS TOPIC PARTITIONS FILE\n", stderr);
    return 2;
  }
  const auto partitions = static_cast<std::uint64_t>(std::atoi(argv[3]));
  std::ifstream file(argv[4]);
  if (!file || partitions == 0) bench::stop("no such file, or no partitions");
  rd_kafka_t* producer =
      bench::make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", argv[1]},
                                             {"compression.codec", "lz4"},
                                             {"linger.ms", "50"},
                                             {"batch.num.messages", "10000"},
                                             {"batch.size", "1000000"},
                                             {"queue.buffering.max.messages", "200000"},
                                             {"enable.idempotence", "true"}});
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, argv[2], nullptr);
  std::uint64_t sent = 0;
  for (std::string line; std::getline(file, line);) {
    bench::produce(producer, topic, static_cast<std::int32_t>(sent % partitions), line.data(),
                   line.size());
    if (++sent % 1000 == 0) rd_kafka_poll(producer, 0);
  }
  bench::flush(producer);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
  std::printf("%lu\n", sent);
  return 0;
}
