// SPDX-License-Identifier: Apache-2.0
// What the helper programs that speak Kafka share: clients made from plain settings, and reading a
// whole topic through one queue. For programs that end at the first error.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace bench {

using Settings = std::vector<std::pair<const char*, const char*>>;
constexpr int kAskMs = 10'000;

[[noreturn]] inline void stop(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

// Records that the broker has not taken, of all producers of the program.
inline std::uint64_t undelivered = 0;
inline void count_undelivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++undelivered;
}

inline rd_kafka_t* make_client(rd_kafka_type_t type, const Settings& settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[512];
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) stop(why);
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, count_undelivered);
  rd_kafka_t* client = rd_kafka_new(type, conf, why, sizeof why);
  if (client == nullptr) stop(why);
  return client;
}

// Waits until the broker has taken everything.
inline void flush(rd_kafka_t* producer) {
  if (rd_kafka_flush(producer, 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR || undelivered > 0)
    stop("records were not delivered");
}

inline Settings consumer_settings(const char* brokers, const char* prefetch_kb) {
  return {{"bootstrap.servers", brokers},
          {"group.id", "bench-bare-consumer"},
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "error"},
          {"enable.partition.eof", "true"},
          {"isolation.level", "read_committed"},
          {"queued.min.messages", "1000000"},
          {"queued.max.messages.kbytes", prefetch_kb},
          {"fetch.wait.max.ms", "100"}};
}

inline int partitions_of(rd_kafka_t* client, const char* name) {
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, name, nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  int count = 0;
  if (rd_kafka_metadata(client, 0, topic, &metadata, kAskMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (metadata->topic_cnt == 1) count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
  }
  rd_kafka_topic_destroy(topic);
  return count;
}

// Reads a topic from its beginning to the end that each partition has when it is reached, in
// batches from one queue. see(message) for each record; the message lives during the call only.
template <class See>
void read_all(const char* brokers, const char* topic, const char* prefetch_kb, See&& see) {
  rd_kafka_t* consumer = make_client(RD_KAFKA_CONSUMER, consumer_settings(brokers, prefetch_kb));
  rd_kafka_poll_set_consumer(consumer);
  const int partitions = partitions_of(consumer, topic);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(consumer);
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(all, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_queue_t* own = rd_kafka_queue_get_partition(consumer, topic, p);
    rd_kafka_queue_forward(own, queue);
    rd_kafka_queue_destroy(own);
  }
  if (partitions == 0 || rd_kafka_assign(consumer, all) != RD_KAFKA_RESP_ERR_NO_ERROR)
    stop("cannot read the topic");
  constexpr std::size_t kBatch = 4096;
  std::vector<rd_kafka_message_t*> messages(kBatch);
  for (int ended = 0; ended < partitions;) {
    const auto count = rd_kafka_consume_batch_queue(queue, 100, messages.data(), kBatch);
    for (std::size_t i = 0; static_cast<ssize_t>(i) < count; ++i) {
      const rd_kafka_message_t& message = *messages[i];
      if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR)
        see(message);
      else if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        ++ended;
      else
        stop(rd_kafka_message_errstr(messages[i]));
      rd_kafka_message_destroy(messages[i]);
    }
    rd_kafka_poll(consumer, 0);
  }
  rd_kafka_topic_partition_list_destroy(all);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
}

// Hands one record over; waits while the queue is full.
inline void produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, std::int32_t partition,
                    const char* data, std::size_t size, const char* key = nullptr,
                    std::size_t key_size = 0) {
  while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, const_cast<char*>(data), size, key,
                          key_size, nullptr) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      stop(rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(producer, 20);
  }
}

}  // namespace bench
