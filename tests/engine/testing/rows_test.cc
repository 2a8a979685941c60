// SPDX-License-Identifier: Apache-2.0
// Rows that came against rows that were expected.
#include "engine/testing/rows.h"

#include "engine/expr/json_reader.h"
#include "engine/testing/json_text.h"
#include "tests/engine/testing/yaml_node.h"

#include <algorithm>
#include <utility>

using namespace streamd;
using namespace streamd::testing;
using streamd::test::yaml_node;

namespace {

std::vector<std::string> paths(const std::string& expected, const std::string& actual,
                               bool exact = false) {
  Arena arena;
  const ConfigNode row = yaml_node(expected);
  std::vector<std::string> found;
  for (const auto& d : differences(row, expr::read_json(actual, arena), exact))
    found.push_back(d.path);
  return found;
}
using Paths = std::vector<std::string>;

struct Rows {
  Rows(const std::string& list, std::vector<std::string> rows)
      : texts(std::move(rows)),
        expected(yaml_node(list).items),
        actual(read_rows(texts, 0, arena)) {}
  std::vector<Pair> pairs(bool in_order = false) const {
    return pair_rows(expected, actual, false, in_order);
  }
  const std::vector<std::string> texts;  // what `actual` points to
  Arena arena;
  std::vector<ConfigNode> expected;
  std::vector<Value> actual;
};

std::size_t equal_pairs(const std::vector<Pair>& pairs) {
  return static_cast<std::size_t>(
      std::count_if(pairs.begin(), pairs.end(), [](const Pair& p) { return p.equal; }));
}

}  // namespace

TEST_CASE("only the fields that are named are compared, unless the row is to be exact",
          "[testing]") {
  CHECK(paths("{a: 1}", R"({"a":1,"b":2})").empty());
  CHECK(paths("{a: 1}", R"({"a":1,"b":2})", true) == Paths{"b"});
  CHECK(paths("{a: 1, b: 2}", R"({"b":2,"a":1})", true).empty());
  CHECK(paths("{a: 1}", R"({"b":2})") == Paths{"a"});
  CHECK(paths("{a: {b: 1}}", R"({"a":{"b":1,"c":2}})").empty());
  CHECK(paths("{a: {b: 1}}", R"({"a":{"b":1,"c":2}})", true) == Paths{"a.c"});
}

TEST_CASE("a dotted name is a field of that name, or one inside another", "[testing]") {
  CHECK(paths("{a.b: 1}", R"({"a.b":1})").empty());
  CHECK(paths("{a.b: 1}", R"({"a":{"b":1}})").empty());
  CHECK(paths("{a.b: 1}", R"({"a":{"b":2}})") == Paths{"a.b"});
  CHECK(paths("{a.b: 1}", R"({"a":{"b":1},"c":3})", true) == Paths{"c"});
}

TEST_CASE("numbers are equal by value, texts never equal numbers", "[testing]") {
  CHECK(paths("{a: 2}", R"({"a":2.0})").empty());
  CHECK(paths("{a: 0.1}", R"({"a":0.10000000000000001})").empty());
  CHECK(paths("{a: 0.3333333333}", R"({"a":0.33333333333333331})").empty());
  CHECK(paths("{a: 0.3333}", R"({"a":0.33333333333333331})") == Paths{"a"});
  CHECK(paths("{a: 9007199254740993}", R"({"a":9007199254740992})") == Paths{"a"});
  CHECK(paths("{a: \"2\"}", R"({"a":2})") == Paths{"a"});
  CHECK(paths("{a: 2}", R"({"a":"2"})") == Paths{"a"});
  CHECK(paths("{a: 007}", R"({"a":"007"})").empty());
}

TEST_CASE("true, null and a missing field are different things", "[testing]") {
  CHECK(paths("{a: true}", R"({"a":true})").empty());
  CHECK(paths("{a: true}", R"({"a":"true"})") == Paths{"a"});
  CHECK(paths("{a: null}", R"({"a":null})").empty());
  CHECK(paths("{a: null}", R"({})") == Paths{"a"});
  CHECK(paths("{a: ~}", R"({"a":0})") == Paths{"a"});
}

TEST_CASE("times are equal when they mean the same moment", "[testing]") {
  CHECK(paths("{a: 2024-01-01T00:00:20Z}", R"({"a":"2024-01-01T00:00:20.000Z"})").empty());
  CHECK(paths("{a: \"2024-01-01T01:00:20+01:00\"}", R"({"a":"2024-01-01T00:00:20Z"})").empty());
  CHECK(paths("{a: 2024-01-01T00:00:20Z}", R"({"a":"2024-01-01T00:00:21Z"})") == Paths{"a"});
}

TEST_CASE("lists have the same length, and their elements are compared by their places",
          "[testing]") {
  CHECK(paths("{a: [1, {b: 2}]}", R"({"a":[1,{"b":2,"c":3}]})").empty());
  CHECK(paths("{a: [1, 2]}", R"({"a":[1,3]})") == Paths{"a.1"});
  CHECK(paths("{a: [1]}", R"({"a":[1,2]})") == Paths{"a"});
  CHECK(paths("{a: [1]}", R"({"a":1})") == Paths{"a"});
}

TEST_CASE("a row that fits many does not take the only one that another fits", "[testing]") {
  const Rows rows("[{a: 1}, {a: 1, b: 2}]", {R"({"a":1,"b":2})", R"({"a":1,"b":3})"});
  CHECK(equal_pairs(rows.pairs()) == 2);
}

TEST_CASE("the order counts only when it is asked for", "[testing]") {
  const Rows rows("[{a: 1}, {a: 2}, {a: 3}]", {R"({"a":3})", R"({"a":1})", R"({"a":2})"});
  CHECK(equal_pairs(rows.pairs()) == 3);
  CHECK(equal_pairs(rows.pairs(true)) == 2);
}

TEST_CASE("what is left over is paired by what it has in common", "[testing]") {
  const Rows rows("[{ip: x, n: 1}, {ip: y, n: 2}]", {R"({"ip":"y","n":3})", R"({"ip":"z","n":9})"});
  const auto pairs = rows.pairs();
  REQUIRE(pairs.size() == 3);
  CHECK(pairs[0].expected == 0u);
  CHECK_FALSE(pairs[0].actual.has_value());
  CHECK(pairs[1].actual == 0u);
  CHECK_FALSE(pairs[1].equal);
  CHECK(pairs[2].actual == 1u);
  CHECK_FALSE(pairs[2].expected.has_value());
}

TEST_CASE("what is written as YAML reads back as the same value", "[testing]") {
  Arena arena;
  for (
      const std::string text :
      {R"({"a":"x: y","b":"5","c":"true","d":"null","e":"- f","g":"#h","i":"a, b"})",
       R"({"a":"{{ x }}","b":"[1]","c":"","d":" blank ","e":"it's","f":"line\nbreak","g":"\u0001"})",
       R"({"time":"2024-01-01T00:00:20Z","ip":"192.0.2.7","v6":"2001:db8::1","clock":"10:30"})",
       R"({"a.b":1.5,"- c":-3,"n":null,"list":[1,"two",{"three":3.0}],"empty":{},"yes":"yes"})",
       R"({"w":"&anchor","x":"*alias","y":"!tag","z":"%p","q":"@at","m":"\"quoted\"","ü":"ö"})"}) {
    const Value value = expr::read_json(text, arena);
    const std::string yaml = flow_yaml(value);
    CAPTURE(yaml);
    CHECK(paths(yaml, text, true).empty());
    const std::string json = json_of(yaml_node(yaml));
    const Value again = expr::read_json(json, arena);
    CHECK(flow_yaml(again) == yaml);
  }
}
