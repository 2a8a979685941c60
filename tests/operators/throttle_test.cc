// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/keyed_node.h"

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

ConfigNode settings(const char* rate, const char* per,
                    std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {{"by", list_of({"k"})}, {"rate", scalar(rate)}, {"per", scalar(per)}});
  return map_of(std::move(more));
}

void add(KeyedNode& node, const char* key, double second) {
  node.records({{Value::string(key)}}, {static_cast<std::int64_t>(second * kSecond)});
}

std::vector<std::int64_t> held(const KeyedNode& node) {
  std::vector<std::int64_t> values;
  for (const Value& value : node.given("held")) values.push_back(value.as_int());
  return values;
}

using Counts = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("so many of a key pass in a time, and the next one says how many were held") {
  KeyedNode node("throttle", settings("2", "10s"), open_schema({"k"}));
  for (const double at : {0, 1, 2, 3, 4}) add(node, "a", at);
  CHECK(held(node) == Counts{0, 0});
  CHECK(node.out().dropped[DropReason::throttled] == 3);
  add(node, "a", 5);  // one token comes back every 5 s
  add(node, "a", 6);
  add(node, "a", 11);
  CHECK(held(node) == Counts{0, 0, 3, 1});
  add(node, "b", 6);
  CHECK(held(node).back() == 0);
}

TEST_CASE("a bucket never holds more than burst") {
  KeyedNode node("throttle", settings("1", "1s", {{"burst", scalar("3")}}), open_schema({"k"}));
  for (int i = 0; i < 5; ++i) add(node, "a", 0);
  CHECK(held(node).size() == 3);
  for (int i = 0; i < 5; ++i) add(node, "a", 1000);
  CHECK(held(node) == Counts{0, 0, 0, 2, 0, 0});
}

TEST_CASE("a record out of order brings no tokens") {
  KeyedNode node("throttle", settings("1", "10s"), open_schema({"k"}));
  add(node, "a", 100);
  add(node, "a", 50);
  add(node, "a", 105);
  CHECK(held(node).size() == 1);
  add(node, "a", 110);
  CHECK(held(node) == Counts{0, 2});
}

TEST_CASE("a restart with other workers goes on with the same buckets") {
  for (const unsigned workers : {1u, 3u}) {
    KeyedNode node("throttle", settings("1", "10s"), open_schema({"k"}), workers);
    for (const char* key : {"a", "b", "c", "d"}) {
      add(node, key, 0);
      add(node, key, 1);
    }
    node.checkpoint();
    add(node, "a", 2);  // is read again after the crash
    node.restart(4 - workers);
    for (const char* key : {"a", "b", "c", "d"}) add(node, key, 2);
    for (const char* key : {"a", "b", "c", "d"}) add(node, key, 10);
    CHECK(held(node) == Counts{0, 0, 0, 0, 2, 2, 2, 2});
  }
}

TEST_CASE("keys that were quiet for long are forgotten, and further ones than max_keys shed") {
  KeyedNode node("throttle",
                 settings("1", "1s", {{"max_keys", scalar("2")}, {"remember", scalar("60s")}}),
                 open_schema({"k"}));
  add(node, "a", 0);
  add(node, "b", 0);
  add(node, "c", 0);
  CHECK(node.out().dropped[DropReason::shed] == 1);
  CHECK(node.live_keys() == 2);
  node.watermark(70 * kSecond);
  CHECK(node.live_keys() == 0);
  node.checkpoint();
  CHECK(node.rows.empty());
  add(node, "c", 71);
  CHECK(held(node).size() == 3);
}

TEST_CASE("damaged state of a throttle is refused") {
  KeyedNode node("throttle", settings("1", "1s"), open_schema({"k"}));
  add(node, "a", 0);
  node.checkpoint();
  REQUIRE(node.rows.size() == 1);
  CHECK(node.restart_error().empty());
  node.rows.begin()->second.pop_back();
  CHECK(node.restart_error().find("damaged") != std::string::npos);
}

TEST_CASE("what cannot be throttled is told when the pipeline is read") {
  const auto wrong = [](const ConfigNode& node) {
    const OperatorFixture f("throttle", node, open_schema({"k"}));
    return f.problems.errors();
  };
  CHECK(wrong(settings("0", "1s")) == 1);
  CHECK(wrong(settings("1", "0s")) == 1);
  CHECK(wrong(settings("1", "2h")) == 1);  // forgotten before the bucket is full
  CHECK(wrong(settings("1", "1s", {{"as", scalar("k")}})) == 1);
  CHECK(wrong(settings("1", "1s", {{"burst", scalar("0")}})) == 1);
}

TEST_CASE("one record in ten seconds is one in ten seconds, though a tenth is no double") {
  KeyedNode node("throttle", settings("1", "10s"), open_schema({"k"}));
  for (int at = 0; at < 125; ++at) add(node, "a", at);
  CHECK(held(node) == Counts{0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9});
}

TEST_CASE("a key is forgotten by its records' times, wherever batches end") {
  for (const bool swept : {false, true}) {
    KeyedNode node("throttle", settings("1", "1h", {{"remember", scalar("1h")}}),
                   open_schema({"k"}));
    for (const double at : {0, 1, 2}) add(node, "a", at);
    if (swept) node.watermark(9000 * kSecond);
    add(node, "a", 9001);
    CHECK(held(node) == Counts{0, 0});
  }
}

TEST_CASE("as many keys as there are numbers is no limit with several workers") {
  KeyedNode node("throttle", settings("1", "1h", {{"max_keys", scalar("18446744073709551615")}}),
                 open_schema({"k"}), 3);
  for (const char* key : {"a", "b", "c", "d"}) add(node, key, 0);
  CHECK(held(node).size() == 4);
  CHECK(node.out().dropped[DropReason::shed] == 0);
}
