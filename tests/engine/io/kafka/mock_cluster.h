// SPDX-License-Identifier: Apache-2.0
// A Kafka cluster inside the process (librdkafka's own), for what it does faithfully: records,
// offsets, groups. It does not do transactions: see the tests against a real broker.
#pragma once

#include "engine/api/source.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace streamd::test {

class MockCluster {
 public:
  explicit MockCluster(int brokers = 1);
  ~MockCluster();
  std::string brokers() const;
  void create_topic(const std::string& name, int partitions);
  // nullopt: a tombstone.
  void produce(const std::string& topic, int partition, const std::optional<std::string>& value);
  void flush();
  // Clients are told that the topic does not exist (the mock makes any topic that is asked for).
  void hide(const std::string& topic, bool hidden);
  void down();
  void down(int broker);
  void up();
  // The broker that coordinates the group.
  void coordinate(const std::string& group, int broker);
  // Takes requests and answers none, until up() and for as long as the clients' patience lasts.
  void hang();
  // Everything in the topic, by partition.
  std::vector<std::vector<std::string>> read(const std::string& topic, int partitions);
  // What the group has committed, -1 for nothing.
  std::int64_t committed(const std::string& group, const std::string& topic, int partition);
  // Brokers are 1, 2, …
  void lead(const std::string& topic, int partition, int broker);
  // The next `count` requests of that kind fail with that code.
  void fail_requests(int api_key, int count, int code);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// Tries until it is true; false after half a minute.
template <class Condition>
bool eventually(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace streamd::test
