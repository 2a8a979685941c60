// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/keyed_node.h"

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

ConfigNode settings(std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {{"by", list_of({"k"})}, {"forget", scalar("100s")}});
  return map_of(std::move(more));
}

void add(KeyedNode& node, const char* key, std::int64_t second) {
  node.records({{Value::string(key)}}, {second * kSecond});
}

std::vector<bool> firsts(const KeyedNode& node) {
  std::vector<bool> marks;
  for (const Value& value : node.given("first_seen")) marks.push_back(value.as_bool());
  return marks;
}

}  // namespace

TEST_CASE("the first record of a key is marked, and all know when that was") {
  KeyedNode node("first_seen", settings(), open_schema({"k"}));
  add(node, "a", 10);
  add(node, "a", 20);
  add(node, "b", 20);
  add(node, "a", 15);
  CHECK(firsts(node) == std::vector<bool>{true, false, true, false});
  CHECK(node.given("first_seen_at")[3].as_time().micros == 10 * kSecond);
  CHECK(node.given("first_seen_before")[0].is(Kind::missing));
  CHECK(node.given("first_seen_before")[1].as_time().micros == 10 * kSecond);
  CHECK(node.given("first_seen_before")[3].as_time().micros == 20 * kSecond);
}

TEST_CASE("a key that was quiet for long is new again, whether it was swept or not") {
  KeyedNode node("first_seen", settings(), open_schema({"k"}));
  add(node, "a", 0);
  add(node, "b", 0);
  add(node, "a", 99);
  add(node, "b", 100);
  CHECK(firsts(node) == std::vector<bool>{true, true, false, true});
  node.watermark(200 * kSecond);
  CHECK(node.live_keys() == 0);
  add(node, "a", 200);
  CHECK(firsts(node).back());
}

TEST_CASE("only first records are kept where that is wanted") {
  KeyedNode node("first_seen", settings({{"action", scalar("keep")}}), open_schema({"k"}));
  for (const std::int64_t at : {1, 2, 3}) add(node, "a", at);
  CHECK(firsts(node) == std::vector<bool>{true});
  CHECK(node.out().dropped[DropReason::filtered] == 2);
}

TEST_CASE("what was seen before a restart is not first after it") {
  KeyedNode node("first_seen", settings(), open_schema({"k"}), 3);
  for (const char* key : {"a", "b", "c", "d"}) add(node, key, 1);
  node.checkpoint();
  node.restart(2);
  for (const char* key : {"a", "b", "c", "d", "e"}) add(node, key, 2);
  CHECK(firsts(node) ==
        std::vector<bool>{true, true, true, true, false, false, false, false, true});
  node.checkpoint();
  node.rows.begin()->second += 'x';
  CHECK(node.restart_error().find("damaged") != std::string::npos);
}

TEST_CASE("a record without the key is a dead letter") {
  KeyedNode node("first_seen", settings(), open_schema({"k"}));
  node.records({{Value::missing()}}, {0});
  CHECK(node.out().rejected.size() == 1);
  CHECK(node.live_keys() == 0);
}
