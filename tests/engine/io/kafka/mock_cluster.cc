// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/io/kafka/mock_cluster.h"

#include "engine/core/check.h"
#include "tests/support/catch.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace streamd::test {
namespace {

rd_kafka_t* client(rd_kafka_type_t type,
                   const std::vector<std::pair<std::string, std::string>>& settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[256];
  for (const auto& [name, value] : settings)
    REQUIRE(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) ==
            RD_KAFKA_CONF_OK);
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_t* rk = rd_kafka_new(type, conf, why, sizeof why);
  REQUIRE(rk != nullptr);
  return rk;
}

}  // namespace

struct MockCluster::Inside {
  rd_kafka_t* producer = nullptr;
  rd_kafka_mock_cluster_t* cluster = nullptr;
  int brokers = 0;
};

MockCluster::MockCluster(int brokers) : inside_(std::make_unique<Inside>()) {
  inside_->producer = client(
      RD_KAFKA_PRODUCER, {{"test.mock.num.brokers", std::to_string(brokers)}, {"linger.ms", "0"}});
  inside_->cluster = rd_kafka_handle_mock_cluster(inside_->producer);
  inside_->brokers = brokers;
}

MockCluster::~MockCluster() {
  rd_kafka_flush(inside_->producer, 5000);
  rd_kafka_destroy(inside_->producer);
}

std::string MockCluster::brokers() const {
  return rd_kafka_mock_cluster_bootstraps(inside_->cluster);
}

void MockCluster::create_topic(const std::string& name, int partitions) {
  REQUIRE(rd_kafka_mock_topic_create(inside_->cluster, name.c_str(), partitions, 1) ==
          RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockCluster::produce(const std::string& topic, int partition,
                          const std::optional<std::string>& value) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(inside_->producer, topic.c_str(), nullptr);
  int answer = -1;
  while ((answer = rd_kafka_produce(handle, partition, RD_KAFKA_MSG_F_COPY,
                                    value ? const_cast<char*>(value->data()) : nullptr,
                                    value ? value->size() : 0, nullptr, 0, nullptr)) != 0 &&
         rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    rd_kafka_poll(inside_->producer, 10);
  rd_kafka_topic_destroy(handle);
  // Any thread may produce, and Catch2's assertions are for one.
  STREAMD_CHECK(answer == 0, "the mock takes every record");
}

void MockCluster::flush() {
  STREAMD_CHECK(rd_kafka_flush(inside_->producer, 20'000) == RD_KAFKA_RESP_ERR_NO_ERROR,
                "the mock stores every record");
}

void MockCluster::hide(const std::string& topic, bool hidden) {
  rd_kafka_mock_topic_set_error(
      inside_->cluster, topic.c_str(),
      hidden ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART : RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockCluster::down() {
  for (int b = 1; b <= inside_->brokers; ++b) rd_kafka_mock_broker_set_down(inside_->cluster, b);
}

void MockCluster::down(int broker) { rd_kafka_mock_broker_set_down(inside_->cluster, broker); }

void MockCluster::coordinate(const std::string& group, int broker) {
  rd_kafka_mock_coordinator_set(inside_->cluster, "group", group.c_str(), broker);
}

void MockCluster::up() {
  for (int b = 1; b <= inside_->brokers; ++b) {
    rd_kafka_mock_broker_set_rtt(inside_->cluster, b, 0);
    rd_kafka_mock_broker_set_up(inside_->cluster, b);
  }
}

void MockCluster::hang() {
  for (int b = 1; b <= inside_->brokers; ++b)
    rd_kafka_mock_broker_set_rtt(inside_->cluster, b, 600'000);
}

std::vector<std::vector<std::string>> MockCluster::read(const std::string& topic, int partitions) {
  rd_kafka_t* rk = client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers()},
                                              {"group.id", "reader"},
                                              {"enable.partition.eof", "true"},
                                              {"enable.auto.commit", "false"}});
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p)
    rd_kafka_topic_partition_list_add(list, topic.c_str(), p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  std::vector<std::vector<std::string>> found(static_cast<std::size_t>(partitions));
  int ends = 0;
  while (ends < partitions) {
    rd_kafka_message_t* m = rd_kafka_consumer_poll(rk, 20'000);
    REQUIRE(m != nullptr);
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
      ++ends;
    else if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      found[static_cast<std::size_t>(m->partition)].emplace_back(
          static_cast<const char*>(m->payload), m->len);
    rd_kafka_message_destroy(m);
  }
  rd_kafka_consumer_close(rk);
  rd_kafka_destroy(rk);
  return found;
}

std::int64_t MockCluster::committed(const std::string& group, const std::string& topic,
                                    int partition) {
  rd_kafka_t* rk =
      client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers()}, {"group.id", group}});
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
  REQUIRE(rd_kafka_committed(rk, list, 20'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  const std::int64_t offset = list->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(rk);
  return offset < 0 ? -1 : offset;
}

void MockCluster::lead(const std::string& topic, int partition, int broker) {
  REQUIRE(rd_kafka_mock_partition_set_leader(inside_->cluster, topic.c_str(), partition, broker) ==
          RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockCluster::fail_requests(int api_key, int count, int code) {
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  for (int i = 0; i < count; ++i)
    rd_kafka_mock_push_request_errors(inside_->cluster, static_cast<std::int16_t>(api_key), 1,
                                      error);
}

}  // namespace streamd::test
