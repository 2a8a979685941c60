// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/keyed_node.h"

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

ConfigNode settings(std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(),
              {{"by", list_of({"k"})}, {"within", scalar("60s")}, {"at_least", scalar("5")}});
  return map_of(std::move(more));
}

Schema columns() { return open_schema({"k", "reason", "weight", "says"}); }

void add(KeyedNode& node, const char* key, const char* reason, double weight, std::int64_t second,
         const char* says = "") {
  node.records({{Value::string(key)},
                {Value::string(reason)},
                {Value::float64(weight)},
                {*says == 0 ? Value::missing() : Value::string(says)}},
               {second * kSecond});
}

std::vector<std::string> whys(const KeyedNode& node) {
  std::vector<std::string> texts;
  for (const Value& value : node.given("score_why")) texts.emplace_back(value.text());
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the reason that brings a key to the score passes and tells all of them") {
  KeyedNode node("score", settings(), columns());
  add(node, "a", "errors", 2, 10, "20 of 30 requests failed");
  add(node, "a", "errors", 2, 11, "25 of 36 requests failed");
  add(node, "b", "flood", 3, 11);
  add(node, "a", "flood", 3, 12, "120 requests in 20 s");
  add(node, "a", "burst", 1, 13);
  CHECK(whys(node) ==
        Texts{"flood (3): 120 requests in 20 s; errors (2): 25 of 36 requests failed"});
  CHECK(node.given("score")[0].as_double() == 5);
  CHECK(node.given("score_reasons")[0].text() ==
        R"([{"reason":"flood","weight":3.0,"says":"120 requests in 20 s"},)"
        R"({"reason":"errors","weight":2.0,"says":"25 of 36 requests failed"}])");
  CHECK(node.out().dropped[DropReason::filtered] == 4);
}

TEST_CASE("old reasons stop to count, and the next crossing is told again") {
  KeyedNode node("score", settings(), columns());
  add(node, "a", "flood", 3, 0);
  add(node, "a", "errors", 3, 60);  // flood is 60 s old
  CHECK(whys(node).empty());
  add(node, "a", "flood", 3, 61);
  add(node, "a", "flood", 3, 119);
  add(node, "a", "errors", 3, 120);  // errors was gone: 3, then 6 again
  CHECK(whys(node) == Texts{"errors (3); flood (3)", "errors (3); flood (3)"});
}

TEST_CASE("every record above the score passes where that is wanted") {
  KeyedNode node("score", settings({{"emit", scalar("every")}}), columns());
  add(node, "a", "flood", 5, 0);
  add(node, "a", "flood", 6, 1);
  add(node, "a", "known", -3, 2);
  CHECK(whys(node) == Texts{"flood (5)", "flood (6)"});
}

TEST_CASE("a late reason counts only if it is not too old by the key's own time") {
  KeyedNode node("score", settings(), columns());
  add(node, "a", "flood", 3, 100);
  add(node, "a", "errors", 3, 40);
  CHECK(whys(node).empty());
  add(node, "a", "errors", 3, 41);
  CHECK(whys(node) == Texts{"errors (3); flood (3)"});
}

TEST_CASE("the lightest reason goes when there are too many") {
  KeyedNode node("score", settings({{"max_reasons", scalar("2")}}), columns());
  add(node, "a", "x", 1, 0);
  add(node, "a", "y", 2, 0);
  add(node, "a", "z", 3, 0);
  CHECK(whys(node) == Texts{"z (3); y (2)"});
}

TEST_CASE("reasons survive a restart with another number of workers") {
  KeyedNode node("score", settings(), columns(), 2);
  for (const char* key : {"a", "b", "c"}) add(node, key, "flood", 3, 0, "many");
  node.checkpoint();
  node.restart(3);
  for (const char* key : {"a", "b", "c"}) add(node, key, "errors", 2, 1);
  CHECK(whys(node) == Texts(3, "flood (3): many; errors (2)"));
  node.checkpoint();
  node.rows.begin()->second.pop_back();
  CHECK(node.restart_error().find("damaged") != std::string::npos);
}

TEST_CASE("what is no reason is a dead letter") {
  KeyedNode node("score", settings(), columns());
  node.records({{Value::string("a"), Value::string("a"), Value::string("a")},
                {Value::missing(), Value::int64(7), Value::string("flood")},
                {Value::int64(1), Value::int64(1), Value::string("5")},
                {Value::missing(), Value::missing(), Value::missing()}},
               {0, 0, 0});
  REQUIRE(node.out().rejected.size() == 3);
  CHECK(node.out().rejected[0].code == "missing-field");
  CHECK(node.out().rejected[1].reason == "field \"reason\" is no text");
  CHECK(node.out().rejected[2].reason == "field \"weight\" is no number");
}

TEST_CASE("seven tenths and three times one are one") {
  KeyedNode node("score", map_of({{"by", list_of({"k"})}, {"at_least", scalar("1")}}), columns());
  for (const char* reason : {"x", "y", "z"}) add(node, "a", reason, 0.1, 10);
  add(node, "a", "w", 0.7, 11);
  CHECK(whys(node).size() == 1);
}
