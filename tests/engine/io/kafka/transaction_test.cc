// SPDX-License-Identifier: Apache-2.0
// Only the course of the calls: the mock cluster keeps neither markers nor offsets of transactions.
#include "engine/io/kafka/transaction.h"

#include "tests/engine/io/kafka/mock_cluster.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::kafka;
using namespace streamd::test;

namespace {

struct Rig {
  MockCluster cluster;
  SystemClock clock;
  Shared shared;

  SinkContext context() {
    SinkContext made;
    made.node = "out";
    made.pipeline = "p";
    made.clock = &clock;
    made.shared = &shared;
    made.log = [](int, const std::string&) {};
    made.state_id = "s";
    return made;
  }
  ProducerOptions options() {
    ProducerOptions made;
    made.client.brokers = cluster.brokers();
    return made;
  }
};

}  // namespace

TEST_CASE("epochs commit one after the other, with and without records", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  const auto transaction = KafkaTransaction::of(rig.options(), rig.context());
  REQUIRE(transaction);
  auto& t = **transaction;
  t.writes_to("t");
  auto& producer = *t.producer();
  auto* ticket = producer.ticket();
  REQUIRE(t.begin());
  REQUIRE(producer.send(producer.topic("t"), "a", nullptr, ticket) == Sent::taken);
  REQUIRE(t.commit(1, {}));
  CHECK(ticket->open == 0);
  CHECK(t.committed() == 1);
  REQUIRE(t.commit(2, {}));
  CHECK(t.committed() == 2);
  REQUIRE(t.commit(2, {}));
  REQUIRE(t.begin());
  REQUIRE(producer.send(producer.topic("t"), "b", nullptr, ticket) == Sent::taken);
  REQUIRE(t.commit(3, {}));
  CHECK(rig.cluster.read("t", 1)[0] == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a newer process fences the older one for good", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  const auto old = KafkaTransaction::of(rig.options(), rig.context());
  REQUIRE(old);
  (*old)->writes_to("t");
  REQUIRE((*old)->commit(1, {}));
  rig.cluster.fail_requests(28, 1, 47);  // TxnOffsetCommit: INVALID_PRODUCER_EPOCH
  const auto late = (*old)->commit(2, {});
  REQUIRE_FALSE(late);
  CHECK(late.error().retry == Retry::never);
  CHECK((*old)->committed() == 1);
}

TEST_CASE("sinks of one pipeline share a transaction when their options agree", "[kafka]") {
  Rig rig;
  const auto one = KafkaTransaction::of(rig.options(), rig.context());
  REQUIRE(one);
  CHECK(*KafkaTransaction::of(rig.options(), rig.context()) == *one);
  auto other = rig.options();
  other.compression = "gzip";
  const auto refused = KafkaTransaction::of(other, rig.context());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::config);
}

TEST_CASE("a commit without a broker heals by trying again", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  const auto transaction = KafkaTransaction::of(rig.options(), rig.context());
  REQUIRE(transaction);
  rig.cluster.down();
  const auto begun = (*transaction)->begin();
  REQUIRE_FALSE(begun);
  CHECK(begun.error().retry == Retry::backoff);
  rig.cluster.up();
  REQUIRE(eventually([&] { return (*transaction)->begin().has_value(); }));
}

TEST_CASE("a coordinator that has moved is asked again for the last epoch", "[kafka]") {
  Rig rig;
  rig.cluster.create_topic("t", 1);
  const auto transaction = KafkaTransaction::of(rig.options(), rig.context());
  REQUIRE(transaction);
  rig.cluster.fail_requests(9, 2, 16);  // OffsetFetch: NOT_COORDINATOR
  const auto last = (*transaction)->last_committed();
  REQUIRE(last);
  CHECK(*last == 0);
}
