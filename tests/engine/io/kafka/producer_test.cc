// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/producer.h"

#include "tests/engine/io/kafka/mock_cluster.h"
#include "tests/support/catch.h"

#include <set>

using namespace streamd;
using namespace streamd::kafka;
using namespace streamd::test;

namespace {

struct Rig {
  MockCluster cluster;
  SystemClock clock;
  Shared shared;
  std::mutex mutex;
  std::vector<std::string> log;

  Result<std::shared_ptr<Producer>> open(ProducerOptions options = {}) {
    options.client.brokers = cluster.brokers();
    return Producer::open(options, shared, clock, [this](int, const std::string& text) {
      const std::lock_guard lock(mutex);
      log.push_back(text);
    });
  }
};

std::multiset<std::string> flat(const std::vector<std::vector<std::string>>& partitions) {
  std::multiset<std::string> all;
  for (const auto& p : partitions) all.insert(p.begin(), p.end());
  return all;
}

}  // namespace

TEST_CASE("a ticket is open until its records are durable", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 3);
  auto producer = rig.open();
  REQUIRE(producer);
  auto* topic = (*producer)->topic("t");
  auto* ticket = (*producer)->ticket();
  std::multiset<std::string> sent;
  for (int i = 0; i < 5000; ++i) {
    const std::string value = std::to_string(i);
    REQUIRE((*producer)->send(topic, value, nullptr, ticket) == Sent::taken);
    sent.insert(value);
  }
  REQUIRE(eventually([&] { return ticket->open == 0; }));
  CHECK(flat(rig.cluster.read("t", 3)) == sent);
  (*producer)->give_back(ticket);
  CHECK((*producer)->ticket() == ticket);
}

TEST_CASE("the same key goes to the same partition, as Java's clients place it", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 4);
  auto producer = rig.open();
  REQUIRE(producer);
  auto* topic = (*producer)->topic("t");
  auto* ticket = (*producer)->ticket();
  // murmur2("foo") & 0x7fffffff = 597841616, of 4 partitions: 0; "bar": 1250766178, 2
  for (const std::string_view key : {"foo", "bar", "foo", "bar"})
    REQUIRE((*producer)->send(topic, key, &key, ticket) == Sent::taken);
  REQUIRE(eventually([&] { return ticket->open == 0; }));
  const auto found = rig.cluster.read("t", 4);
  std::size_t filled = 0;
  for (const auto& p : found) {
    CHECK((p.empty() || p.size() == 2));
    filled += p.empty() ? 0 : 1;
    CHECK(std::set<std::string>(p.begin(), p.end()).size() <= 1);
  }
  CHECK(filled == 2);
}

TEST_CASE("records wait while the cluster is away", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  auto producer = rig.open();
  REQUIRE(producer);
  auto* topic = (*producer)->topic("t");
  auto* ticket = (*producer)->ticket();
  REQUIRE((*producer)->send(topic, "before", nullptr, ticket) == Sent::taken);
  REQUIRE(eventually([&] { return ticket->open == 0; }));
  rig.cluster.down();
  REQUIRE((*producer)->send(topic, "during", nullptr, ticket) == Sent::taken);
  REQUIRE(eventually([&] {
    const std::lock_guard lock(rig.mutex);
    return rig.log.size() == 1;
  }));
  CHECK(ticket->open == 1);
  CHECK((*producer)->status());
  rig.cluster.up();
  REQUIRE(eventually([&] { return ticket->open == 0; }));
  CHECK(flat(rig.cluster.read("t", 1)) == std::multiset<std::string>{"before", "during"});
}

TEST_CASE("a record above the limit is refused without a trace", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  ProducerOptions options;
  options.client.properties = {{"message.max.bytes", "1000"}};
  auto producer = rig.open(options);
  REQUIRE(producer);
  CHECK((*producer)->max_record_bytes() == 1000);
  auto* ticket = (*producer)->ticket();
  CHECK((*producer)->send((*producer)->topic("t"), std::string(1001, 'x'), nullptr, ticket) ==
        Sent::too_large);
  CHECK(ticket->open == 0);
  CHECK((*producer)->status());
}

TEST_CASE("a full queue is told and has room again later", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  ProducerOptions options;
  options.client.properties = {{"queue.buffering.max.messages", "10"}};
  options.linger = Duration::from_millis(100);
  auto producer = rig.open(options);
  REQUIRE(producer);
  auto* topic = (*producer)->topic("t");
  auto* ticket = (*producer)->ticket();
  for (int i = 0; i < 10; ++i)
    REQUIRE((*producer)->send(topic, "x", nullptr, ticket) == Sent::taken);
  CHECK((*producer)->send(topic, "x", nullptr, ticket) == Sent::full);
  REQUIRE(eventually([&] {
    (*producer)->wait_for_room(Duration::from_millis(50));
    return (*producer)->send(topic, "x", nullptr, ticket) == Sent::taken;
  }));
}

TEST_CASE("a record that Kafka refuses for good stops the producer and stays open", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  auto producer = rig.open();
  REQUIRE(producer);
  rig.cluster.fail_requests(0, 10, 29);  // Produce: TOPIC_AUTHORIZATION_FAILED
  auto* ticket = (*producer)->ticket();
  REQUIRE((*producer)->send((*producer)->topic("t"), "x", nullptr, ticket) == Sent::taken);
  REQUIRE(eventually([&] { return !(*producer)->status(); }));
  CHECK((*producer)->status().error().retry == Retry::never);
  CHECK((*producer)->status().error().message.find("\"t\"") != std::string::npos);
  CHECK(ticket->open == 1);
  CHECK_FALSE((*producer)->send((*producer)->topic("t"), "x", nullptr, ticket));
}

TEST_CASE("settings that contradict each other are a configuration error", "[kafka]") {
  Rig rig;
  ProducerOptions options;
  options.client.properties = {{"max.in.flight.requests.per.connection", "100"}};
  const auto producer = rig.open(options);
  REQUIRE_FALSE(producer);
  CHECK(producer.error().kind == ErrorKind::config);
}
