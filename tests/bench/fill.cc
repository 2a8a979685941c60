// SPDX-License-Identifier: Apache-2.0
// bench_fill BROKERS TOPIC PARTITIONS FILE: sends each line of a file to a topic, line n to
// partition n % PARTITIONS, lz4. Prints the number of records.
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace {

std::uint64_t failures = 0;

void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++failures;
}

rd_kafka_t* make_producer(const char* brokers) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const char* settings[][2] = {{"bootstrap.servers", brokers},
                               {"compression.codec", "lz4"},
                               {"linger.ms", "50"},
                               {"batch.num.messages", "10000"},
                               {"batch.size", "1000000"},
                               {"queue.buffering.max.messages", "200000"},
                               {"enable.idempotence", "true"}};
  char why[512];
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "%s\n", why);
      return nullptr;
    }
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (producer == nullptr) std::fprintf(stderr, "%s\n", why);
  return producer;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: bench_fill BROKERS TOPIC PARTITIONS FILE\n", stderr);
    return 2;
  }
  const auto partitions = static_cast<std::uint64_t>(std::atoi(argv[3]));
  std::ifstream file(argv[4]);
  rd_kafka_t* producer = make_producer(argv[1]);
  if (!file || partitions == 0 || producer == nullptr) {
    std::fprintf(stderr, "cannot send %s to %s\n", argv[4], argv[1]);
    return 1;
  }
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, argv[2], nullptr);
  std::uint64_t sent = 0;
  for (std::string line; std::getline(file, line);) {
    const auto partition = static_cast<std::int32_t>(sent % partitions);
    while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, line.data(), line.size(),
                            nullptr, 0, nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        std::fprintf(stderr, "%s\n", rd_kafka_err2str(rd_kafka_last_error()));
        return 1;
      }
      rd_kafka_poll(producer, 20);
    }
    if (++sent % 1000 == 0) rd_kafka_poll(producer, 0);
  }
  const auto flushed = rd_kafka_flush(producer, 120'000);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
  if (flushed != RD_KAFKA_RESP_ERR_NO_ERROR || failures > 0) {
    std::fprintf(stderr, "%lu records were not delivered\n", failures);
    return 1;
  }
  std::printf("%lu\n", sent);
  return 0;
}
