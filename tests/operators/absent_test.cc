// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/keyed_node.h"

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

ConfigNode settings(std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {{"by", list_of({"host"})}, {"for", scalar("10s")}});
  return map_of(std::move(more));
}

void add(KeyedNode& node, const char* host, std::int64_t second) {
  node.records({{Value::string(host)}}, {second * kSecond});
}

// "a silent 10 at 20": host, state, last seen and event time in seconds.
std::vector<std::string> told(const KeyedNode& node) {
  std::vector<std::string> lines;
  for (const Batch& batch : node.node.out.batches)
    for (std::size_t i = 0; i < batch.size(); ++i)
      lines.push_back(std::string(batch.at(0, i).text()) + " " +
                      std::string(batch.at(1, i).text()) + " " +
                      std::to_string(batch.at(2, i).as_time().micros / kSecond) + " at " +
                      std::to_string(batch.time(i).micros / kSecond));
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a key that is silent for too long is told once, with the time of its last record") {
  KeyedNode node("absent", settings(), open_schema({"host"}));
  add(node, "a", 0);
  add(node, "b", 3);
  add(node, "a", 5);
  node.watermark(15 * kSecond);
  CHECK(told(node) == Lines{"b silent 3 at 13"});
  node.watermark(16 * kSecond);
  node.watermark(100 * kSecond);
  CHECK(told(node) == Lines{"b silent 3 at 13", "a silent 5 at 15"});
  const Batch& last = node.out().batches.back();
  CHECK(last.at(3, 0).as_duration_nanos() == 10 * kSecond * 1000);
}

TEST_CASE("what is told does not depend on how far event time jumps") {
  const auto run = [](std::int64_t step) {
    KeyedNode node("absent", settings(), open_schema({"host"}));
    for (const char* host : {"c", "a", "b"}) add(node, host, 1);
    add(node, "c", 4);
    for (std::int64_t at = step; at <= 60; at += step) node.watermark(at * kSecond);
    return told(node);
  };
  CHECK(run(1) == Lines{"a silent 1 at 11", "b silent 1 at 11", "c silent 4 at 14"});
  CHECK(run(60) == run(1));
}

TEST_CASE("a silence among records that came at once, out of order, is told as well") {
  const auto run = [](const std::vector<std::int64_t>& order) {
    KeyedNode node("absent", settings({{"back", scalar("true")}}), open_schema({"host"}));
    for (const std::int64_t at : order) add(node, "a", at);
    node.watermark(45 * kSecond);
    return told(node);
  };
  const Lines both = {"a silent 8 at 18", "a back 8 at 30", "a silent 33 at 43"};
  CHECK(run({0, 8, 30, 33}) == both);
  CHECK(run({33, 0, 30, 8}) == both);
  CHECK(run({0, 30, 33, 8, 19}) == Lines{"a silent 8 at 18", "a back 8 at 19", "a silent 19 at 29",
                                         "a back 19 at 30", "a silent 33 at 43"});
  CHECK(run({0, 30, 8, 18, 24}) == Lines{"a silent 30 at 40"});
}

TEST_CASE("a record at the very end of the time is in time") {
  KeyedNode node("absent", settings(), open_schema({"host"}));
  add(node, "a", 0);
  node.watermark(10 * kSecond);
  add(node, "a", 10);
  node.watermark(19 * kSecond);
  CHECK(told(node).empty());
}

TEST_CASE("a key that is back is told where that is wanted, and missed again at once") {
  KeyedNode node("absent", settings({{"back", scalar("true")}, {"min_records", scalar("2")}}),
                 open_schema({"host"}));
  add(node, "a", 0);
  add(node, "a", 1);
  node.watermark(20 * kSecond);
  add(node, "a", 25);
  node.watermark(60 * kSecond);
  CHECK(told(node) == Lines{"a silent 1 at 11", "a back 1 at 25", "a silent 25 at 35"});
}

TEST_CASE("a key is missed only after as many records as are wanted") {
  KeyedNode node("absent", settings({{"min_records", scalar("3")}}), open_schema({"host"}));
  for (const std::int64_t at : {0, 1}) add(node, "few", at);
  for (const std::int64_t at : {0, 1, 2}) add(node, "many", at);
  node.watermark(60 * kSecond);
  CHECK(told(node) == Lines{"many silent 2 at 12"});
  // It has had them: the next silence is told after any record.
  add(node, "many", 70);
  add(node, "few", 71);
  node.watermark(100 * kSecond);
  CHECK(told(node).back() == "many silent 70 at 80");
  CHECK(told(node).size() == 2);
}

TEST_CASE("the end of the input is no silence, and late records are counted") {
  KeyedNode node("absent", settings(), open_schema({"host"}));
  add(node, "a", 50);
  node.watermark(55 * kSecond);
  add(node, "b", 54);
  node.records({{Value::string("c")}}, {56 * kSecond}, {57 * kSecond});
  add(node, "d", 60);
  add(node, "d", 80);
  node.watermark(EventTime::max().micros);
  CHECK(told(node) == Lines{"d silent 60 at 70"});
  CHECK(node.out().dropped[DropReason::late] == 2);
  CHECK(node.live_keys() == 2);
}

TEST_CASE("a silence goes on over a restart with another number of workers") {
  KeyedNode node("absent", settings({{"back", scalar("true")}}), open_schema({"host"}), 3);
  for (const char* host : {"a", "b", "c", "d"}) add(node, host, 1);
  add(node, "e", 3);
  node.checkpoint();
  add(node, "a", 5);  // lost, as after kill -9
  node.restart(1);
  node.watermark(12 * kSecond);
  CHECK(told(node) ==
        Lines{"a silent 1 at 11", "b silent 1 at 11", "c silent 1 at 11", "d silent 1 at 11"});
  node.checkpoint();
  node.restart(2);
  node.watermark(14 * kSecond);
  add(node, "d", 20);
  node.watermark(21 * kSecond);
  CHECK(told(node).size() == 6);
  CHECK(told(node).back() == "d back 1 at 20");
  node.checkpoint();
  node.rows.begin()->second += 'x';
  CHECK(node.restart_error().find("damaged") != std::string::npos);
}

TEST_CASE("with a longer silence than before a restart what was one then may be none") {
  KeyedNode before("absent", settings(), open_schema({"host"}));
  for (const std::int64_t at : {0, 15, 90}) add(before, "a", at);
  before.checkpoint();
  KeyedNode node("absent", map_of({{"by", list_of({"host"})}, {"for", scalar("1m")}}),
                 open_schema({"host"}));
  node.rows = before.rows;
  node.restart(1);
  node.watermark(74 * kSecond);
  CHECK(told(node).empty());
  node.watermark(200 * kSecond);
  CHECK(told(node) == Lines{"a silent 15 at 75", "a silent 90 at 150"});
}

TEST_CASE("more keys than there may be are counted as shed") {
  KeyedNode node("absent", settings({{"max_keys", scalar("1")}}), open_schema({"host"}));
  add(node, "a", 0);
  add(node, "b", 0);
  CHECK(node.out().dropped[DropReason::shed] == 1);
}

TEST_CASE("a field of the result cannot be part of the key") {
  OperatorFixture node("absent", map_of({{"by", list_of({"state"})}, {"for", scalar("10s")}}),
                       open_schema({"state"}));
  REQUIRE(node.problems.errors() == 1);
  CHECK(node.problems.all()[0].message.find("\"state\"") != std::string::npos);
}
