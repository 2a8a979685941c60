// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/consumer_group.h"

#include "tests/engine/io/kafka/member.h"

#include <set>

using namespace streamd;
using namespace streamd::test;

namespace {

void fill(MockCluster& cluster, const std::string& topic, int partitions, int from, int to) {
  for (int i = from; i < to; ++i) cluster.produce(topic, i % partitions, std::to_string(i));
  cluster.flush();
}

std::multiset<std::string> values(const std::vector<Seen>& seen) {
  std::multiset<std::string> all;
  for (const auto& s : seen) all.insert(s.data);
  return all;
}

std::multiset<std::string> numbers(int from, int to) {
  std::multiset<std::string> all;
  for (int i = from; i < to; ++i) all.insert(std::to_string(i));
  return all;
}

// What is missing and what came too often, as text that fits a screen.
std::string difference(const std::vector<Seen>& seen, int from, int to) {
  const auto found = values(seen);
  std::string text;
  int lines = 0;
  for (int i = from; i < to && lines < 20; ++i) {
    const auto times = found.count(std::to_string(i));
    if (times != 1 && ++lines) text += std::to_string(i) + " x" + std::to_string(times) + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("a group reads all partitions in order and commits what was acknowledged", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 3);
  fill(cluster, "t", 3, 0, 3000);
  const unsigned workers = GENERATE(1u, 2u);
  Member member(cluster.brokers(), "t", {.workers = workers});
  REQUIRE(eventually([&] { return member.count() >= 3000; }));
  CHECK(difference(member.seen(), 0, 3000).empty());
  std::map<std::string, std::uint64_t> next;
  for (const auto& s : member.seen()) CHECK(s.position == next[s.partition]++);
  member.stop();
  for (int p = 0; p < 3; ++p) CHECK(cluster.committed("g", "t", p) == 1000);

  fill(cluster, "t", 3, 3000, 3300);
  Member again(cluster.brokers(), "t", {.workers = 3 - workers});
  REQUIRE(eventually([&] { return again.count() >= 300; }));
  CHECK(values(again.seen()) == numbers(3000, 3300));
}

TEST_CASE("the further one of stored position and committed offset counts", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 2);
  fill(cluster, "t", 2, 0, 20);
  {
    Member first(cluster.brokers(), "t");
    REQUIRE(eventually([&] { return first.count() >= 20; }));
  }
  fill(cluster, "t", 2, 20, 30);
  Member member(cluster.brokers(), "t", {.resume_at = {{"t/0", "1:5"}, {"t/1", "1:13"}}});
  REQUIRE(eventually([&] { return member.count() >= 7; }));
  std::map<std::string, std::uint64_t> first;
  for (const auto& s : member.seen()) first.emplace(s.partition, s.position);
  CHECK(first["t/0"] == 10);
  CHECK(first["t/1"] == 13);
}

TEST_CASE("a fresh start ignores the group's offsets and overwrites them", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  fill(cluster, "t", 1, 0, 10);
  {
    Member first(cluster.brokers(), "t");
    REQUIRE(eventually([&] { return first.count() >= 10; }));
  }
  REQUIRE(cluster.committed("g", "t", 0) == 10);
  Member member(cluster.brokers(), "t", {.fresh = true});
  REQUIRE(eventually([&] { return member.count() >= 10; }));
  CHECK(values(member.seen()) == numbers(0, 10));
  CHECK(eventually([&] { return cluster.committed("g", "t", 0) == 0; }));
}

TEST_CASE("from latest begins at the end, at a position known before the first record", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  fill(cluster, "t", 1, 0, 10);
  Member member(cluster.brokers(), "t", {.from_latest = true});
  REQUIRE(eventually([&] { return member.states().contains("t/0"); }));
  CHECK(member.states()["t/0"].position == "1:10");
  fill(cluster, "t", 1, 10, 15);
  REQUIRE(eventually([&] { return member.count() >= 5; }));
  CHECK(values(member.seen()) == numbers(10, 15));
}

TEST_CASE("a bounded source ends at the end offsets seen at the start", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 4);
  fill(cluster, "t", 3, 0, 500);  // partition 3 stays empty
  Member member(cluster.brokers(), "t", {.workers = 2, .until_end = true});
  REQUIRE(eventually([&] { return member.ended(); }));
  CHECK(values(member.seen()) == numbers(0, 500));
  for (const auto& [name, state] : member.states()) {
    INFO(name);
    CHECK(state.ended);
    CHECK(state.caught_up);
  }
}

TEST_CASE("a bounded source does not end before what another member holds is read", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 4);
  fill(cluster, "t", 4, 0, 400);
  Member asleep(cluster.brokers(), "t", {.asleep = true});
  REQUIRE(eventually([&] { return asleep.states().size() == 4; }));
  Member member(cluster.brokers(), "t", {.until_end = true});
  REQUIRE(eventually([&] { return member.count() == 200; }));
  CHECK_FALSE(member.confirmed_at());  // no window may close without the others' records
  asleep.stop();
  REQUIRE(eventually([&] { return member.ended(); }));
  CHECK(values(member.seen()) == numbers(0, 400));
}

TEST_CASE("a bounded source ends when others have read the rest", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 5);
  fill(cluster, "t", 4, 0, 400);  // partition 4 stays empty
  Member asleep(cluster.brokers(), "t", {.asleep = true});
  REQUIRE(eventually([&] { return asleep.states().size() == 5; }));
  Member one(cluster.brokers(), "t", {.until_end = true});
  Member other(cluster.brokers(), "t", {.until_end = true});
  asleep.stop();
  const auto both = [&] { return one.count() + other.count() == 400; };
  REQUIRE(eventually(both));
  // Nobody has said yet that what he read is done.
  CHECK_FALSE(one.ended());
  CHECK_FALSE(other.ended());
  // A checkpoint while the group is shared out anew commits nothing; the next one does.
  const auto tell = [&] { return one.checkpoint(Duration::from_seconds(5)); };
  REQUIRE(eventually([&] { return tell() && other.ended(); }));
  other.stop();
  CHECK(eventually([&] { return one.ended(); }));
  CHECK(both());
}

TEST_CASE("what an earlier run has read is expected back until nobody dead can hold it",
          "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 4);
  fill(cluster, "t", 4, 0, 400);
  const Positions before = {
      {"t/0", "1:100"}, {"t/1", "1:100"}, {"t/2", "1:100"}, {"t/3", "1:100"}, {"gone/0", "1:5"}};
  Member asleep(cluster.brokers(), "t", {.asleep = true});
  REQUIRE(eventually([&] { return asleep.states().size() == 4; }));
  Member member(cluster.brokers(), "t", {.resume_at = before, .session_ms = 2000});
  const auto caught_up = [&] {
    const auto states = member.states();
    return std::count_if(states.begin(), states.end(),
                         [](const auto& state) { return state.second.caught_up; });
  };
  REQUIRE(eventually([&] { return caught_up() == 2; }));
  for (const auto& [name, state] : member.states()) CHECK(state.position == "1:100");
  CHECK(member.states().size() == 4);
  CHECK(eventually([&] { return member.states().size() == 2; }));
}

// librdkafka stops fetching when so much waits, and has to be told to go on.
TEST_CASE("more than may wait is read in order and without loss", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 3);
  constexpr int kRecords = 9000;
  const std::string filling(1000, '.');
  for (int i = 0; i < kRecords; ++i)
    cluster.produce("t", i % 3, std::to_string(i) + filling + std::to_string(i));
  cluster.flush();
  const unsigned workers = GENERATE(1u, 2u);
  Member member(cluster.brokers(), "t",
                {.workers = workers, .until_end = true, .prefetch = 1u << 20});
  REQUIRE(eventually([&] { return member.ended(); }));
  REQUIRE(member.count() == kRecords);
  std::map<std::string, int> next;
  for (const auto& s : member.seen()) {
    const int n = next[s.partition]++;
    REQUIRE(s.position == static_cast<std::uint64_t>(n));
    const std::string number = std::to_string(3 * n + (s.partition.back() - '0'));
    REQUIRE(s.data == number + filling + number);
  }
}

TEST_CASE("tombstones, empty and too long records are told apart", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  cluster.produce("t", 0, std::nullopt);
  cluster.produce("t", 0, "");
  cluster.produce("t", 0, std::string(100'000, 'x'));
  cluster.produce("t", 0, std::string(100'001, 'y'));
  cluster.flush();
  Member member(cluster.brokers(), "t", {.max_record = 100'000});
  REQUIRE(eventually([&] { return member.count() >= 4; }));
  const auto seen = member.seen();
  CHECK(seen[0].tombstone);
  CHECK(seen[0].data.empty());
  CHECK_FALSE(seen[1].tombstone);
  CHECK(seen[1].data.empty());
  CHECK(seen[2].fault.empty());
  CHECK(seen[2].data.size() == 100'000);
  CHECK(seen[3].fault == "too-long");
  CHECK(seen[3].data == std::string(64 * 1024, 'y'));
}

TEST_CASE("a partition is caught up at its end and not while more is there", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  fill(cluster, "t", 1, 0, 10);
  Member member(cluster.brokers(), "t");
  REQUIRE(eventually([&] { return member.states()["t/0"].caught_up; }));
  CHECK(member.count() == 10);
  CHECK(member.states()["t/0"].position == "1:10");
  CHECK_FALSE(member.states()["t/0"].ended);
}

// The mock refuses commits during a rebalance, which Kafka does not, so records may come twice
// here; tests/e2e shows with a real broker that they do not.
TEST_CASE("no record is lost when members come and go", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 4);
  constexpr int kRecords = 20'000;
  std::jthread feeder([&] {
    for (int i = 0; i < kRecords; ++i) {
      cluster.produce("t", i % 4, std::to_string(i));
      if (i % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    cluster.flush();
  });
  Member first(cluster.brokers(), "t", {.workers = 2});
  REQUIRE(eventually([&] { return first.count() > 500; }));
  std::vector<Seen> all;
  {
    Member second(cluster.brokers(), "t");
    REQUIRE(eventually([&] { return second.count() > 500; }));
    second.stop();
    all = second.seen();
  }
  feeder.join();
  CHECK(eventually([&] {
    std::set<std::string> found;
    for (const auto& s : all) found.insert(s.data);
    for (const auto& s : first.seen()) found.insert(s.data);
    return found.size() == kRecords;
  }));
}

TEST_CASE("an offset that does not exist is told and reading goes on at the earliest", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  fill(cluster, "t", 1, 0, 10);
  Member member(cluster.brokers(), "t", {.resume_at = {{"t/0", "1:5000"}}});
  REQUIRE(eventually([&] { return member.count() >= 10; }));
  CHECK(values(member.seen()) == numbers(0, 10));
  CHECK(member.logged(2, "t/0: offset 5000 does not exist, the partition ends at 10"));
}

TEST_CASE("a position is told that the state knows and the group has forgotten", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 2);
  fill(cluster, "t", 2, 0, 20);
  Member member(cluster.brokers(), "t", {.resume_at = {{"t/0", "1:4"}, {"t/1", "1:0"}}});
  REQUIRE(eventually([&] { return member.count() >= 16; }));
  CHECK(member.logged(1, "t/0: group \"g\" has no offset any more; going on at 4"));
  CHECK(member.log().size() == 1);
}

TEST_CASE("a cluster that is away is told once and read when it is back", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  fill(cluster, "t", 1, 0, 10);
  cluster.down();
  Member member(cluster.brokers(), "t");
  REQUIRE(eventually([&] { return member.logged(1, "no Kafka broker of"); }));
  CHECK(member.count() == 0);
  CHECK_FALSE(member.confirmed_at());
  cluster.up();
  REQUIRE(eventually([&] { return member.count() >= 10 && member.logged(0, "healed"); }));
  CHECK(values(member.seen()) == numbers(0, 10));
  CHECK(member.log().size() == 2);
}

TEST_CASE("while the cluster is away no partition counts as caught up", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  fill(cluster, "t", 1, 0, 10);
  Member member(cluster.brokers(), "t");
  REQUIRE(eventually([&] { return member.states()["t/0"].caught_up; }));
  cluster.down();
  REQUIRE(eventually([&] { return !member.states()["t/0"].caught_up; }));
  cluster.up();
  REQUIRE(eventually([&] { return member.states()["t/0"].caught_up; }));
}

TEST_CASE("while brokers say nothing no time is confirmed", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 2);
  fill(cluster, "t", 2, 0, 10);
  Member member(cluster.brokers(), "t", {.workers = 2});
  const Duration start = member.now();
  REQUIRE(eventually([&] { return member.count() == 10 && member.confirmed_at() > start; }));
  cluster.hang();
  const Duration hung = member.now();
  REQUIRE(eventually([&] { return !member.states()["t/0"].caught_up; }));
  CHECK(member.confirmed_at() <= hung);
  const Duration back = member.now();
  cluster.up();
  REQUIRE(eventually([&] { return member.confirmed_at() > back; }));
  CHECK(member.states()["t/0"].caught_up);
}

TEST_CASE("what was confirmed of an assignment says nothing of the next one", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 2);
  Member first(cluster.brokers(), "t");
  REQUIRE(eventually([&] { return first.confirmed_at() && first.states().size() == 2; }));
  const Duration alone = first.now();
  {
    Member second(cluster.brokers(), "t");
    REQUIRE(eventually([&] { return first.states().size() == 1 && first.confirmed_at(); }));
    CHECK(first.confirmed_at() > alone);
  }
  REQUIRE(eventually([&] { return first.states().size() == 2 && first.confirmed_at(); }));
}

TEST_CASE("a topic that is not there yet is waited for", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("late", 2);
  cluster.hide("late", true);
  Member member(cluster.brokers(), "late");
  REQUIRE(eventually([&] { return member.logged(1, "topic \"late\" does not exist"); }));
  cluster.hide("late", false);
  fill(cluster, "late", 2, 0, 10);
  REQUIRE(eventually([&] { return member.count() >= 10; }));
  CHECK(member.logged(0, "healed: topic \"late\" is there"));
  CHECK(member.log().size() == 2);
}

TEST_CASE("a group that we may not join ends the source for good", "[kafka]") {
  MockCluster cluster;
  cluster.create_topic("t", 1);
  cluster.fail_requests(11, 1, 30);  // JoinGroup: GROUP_AUTHORIZATION_FAILED
  Member member(cluster.brokers(), "t");
  REQUIRE(eventually([&] { return !member.error().message.empty(); }));
  CHECK(member.error().retry == Retry::never);
  CHECK(member.error().kind == ErrorKind::external);
}

TEST_CASE("damaged stored positions are refused", "[kafka]") {
  SystemClock clock;
  Shared shared;
  SourceContext context;
  context.node = "in";
  context.clock = &clock;
  context.shared = &shared;
  context.resume_at = {{"t/0", "2:zzz"}};
  kafka::GroupOptions options;
  options.client.brokers = "127.0.0.1:1";
  options.topics = {"t"};
  options.group = "g";
  const auto opened = kafka::ConsumerGroup::open(options, context);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::state);
}
