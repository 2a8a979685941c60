// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "tests/operators/keyed_node.h"

#include <set>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

ConfigNode quoted(const std::string& text) {
  ConfigNode node = scalar(text);
  node.quoted = true;
  return node;
}
ConfigNode fields(std::vector<std::pair<std::string, ConfigNode>> rules,
                  std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {"fields", map_of(std::move(rules))});
  return map_of(std::move(more));
}

}  // namespace

TEST_CASE("Constants have the type that YAML gives them") {
  OperatorFixture f("fill",
                    fields({{"i", scalar("5")},
                            {"d", scalar("2.5")},
                            {"b", scalar("true")},
                            {"t", scalar("tcp")},
                            {"q", quoted("5")},
                            {"v", map_of({{"value", scalar("x")}})}}),
                    open_schema({"i", "d", "b", "t", "q", "v"}));
  const Column missing = {Value::missing()};
  f.run(batch_of({missing, missing, missing, missing, missing, {Value::string("kept")}}));
  CHECK(f.value("i", 0).as_int() == 5);
  CHECK(f.value("d", 0).as_double() == 2.5);
  CHECK(f.value("b", 0).as_bool());
  CHECK(f.value("t", 0).text() == "tcp");
  CHECK(f.value("q", 0).text() == "5");
  CHECK(f.value("v", 0).text() == "kept");
  for (const Field& field : f.ports.out.fields) CHECK(field.derived);
}

TEST_CASE("A whole number beyond 63 bits is no rounded one") {
  OperatorFixture f("fill", fields({{"u", scalar("18446744073709551615")}}), open_schema({"u"}));
  f.run(batch_of({{Value::missing()}}));
  REQUIRE(f.value("u", 0).is(Kind::uint64));
  CHECK(f.value("u", 0).as_uint() == UINT64_MAX);
}

TEST_CASE("Missing, null and empty are told apart") {
  const Column column = {Value::missing(), Value::null(), Value::string(""), Value::json("[]"),
                         Value::string("x")};
  const auto filled = [&](const std::vector<std::string>& when) {
    OperatorFixture f("fill", fields({{"a", scalar("7")}}, {{"when", list_of(when)}}),
                      open_schema({"a"}));
    f.run(batch_of({column}));
    std::string text;
    for (std::size_t i = 0; i < column.size(); ++i)
      text += f.value("a", i).is(Kind::int64) ? '7' : '.';
    return text;
  };
  CHECK(filled({"missing"}) == "7....");
  CHECK(filled({"null"}) == ".7...");
  CHECK(filled({"empty"}) == "..77.");
  CHECK(filled({"missing", "null", "empty"}) == "7777.");
}

TEST_CASE("A value comes from an expression only where one is needed") {
  OperatorFixture f("fill", fields({{"a", map_of({{"from", scalar("b.c + '!'")}})}}),
                    open_schema({"a", "b.c"}));
  Needs wanted;
  wanted.fields = {"z"};
  CHECK(f.plan->needs(wanted).fields == std::set<std::string>{"a", "b.c", "z"});
  f.run(batch_of({strings({"x", nullptr, nullptr, "y"}), strings({nullptr, "b", nullptr, "b"})}));
  REQUIRE(f.out.batches[0].size() == 3);
  CHECK(f.value("a", 0).text() == "x");
  CHECK(f.value("a", 1).text() == "b!");
  CHECK(f.value("a", 2).text() == "y");
  REQUIRE(f.out.rejected.size() == 1);
  CHECK(f.out.rejected[0].row == 2);
  CHECK(f.out.rejected[0].code == "expression");
}

TEST_CASE("Records that still lack a required field are counted as filtered") {
  OperatorFixture f("fill", fields({{"a", scalar("1")}}, {{"drop", list_of({"a", "b"})}}),
                    open_schema({"a", "b"}));
  f.run(batch_of({{Value::missing(), Value::missing()}, {Value::int64(1), Value::null()}}));
  REQUIRE(f.out.batches[0].size() == 1);
  CHECK(f.out.dropped[DropReason::filtered] == 1);
  OperatorFixture only("fill", map_of({{"drop", list_of({"b"})}}), open_schema({"b"}));
  only.run(batch_of({{Value::missing(), Value::string("")}}));
  CHECK(only.out.dropped[DropReason::filtered] == 1);
}

TEST_CASE("The last value of the key fills the gap, by event time, across a restart") {
  KeyedNode node("fill",
                 fields({{"os", map_of({{"last", scalar("true")}})}},
                        {{"by", list_of({"k"})}, {"keep", scalar("1m")}}),
                 open_schema({"k", "os"}), 2);
  node.records({strings({"a", "b", "a", "c"}), strings({"linux", "bsd", nullptr, nullptr})},
               {0, 0, kSecond, 0});
  node.checkpoint();
  node.restart(3);
  node.records({strings({"a"}), strings({"old"})}, {-kSecond});
  node.records({strings({"a"}), strings({nullptr})}, {2 * kSecond});
  node.records({strings({"b"}), strings({nullptr})}, {60 * kSecond});
  node.records({strings({"b"}), strings({nullptr})}, {-kSecond});
  std::map<std::string, int> given;
  for (const Value& os : node.given("os")) ++given[std::string(os.absent() ? "-" : os.text())];
  CHECK(given == std::map<std::string, int>{{"linux", 3}, {"bsd", 1}, {"old", 1}, {"-", 3}});
  CHECK(node.live_keys() == 2);
  node.watermark(61 * kSecond);
  node.checkpoint();
  CHECK(node.live_keys() == 0);
  CHECK(node.rows.empty());
}

TEST_CASE("A list or a map that a node has made is a last value like others, across a restart") {
  KeyedNode node("fill",
                 fields({{"tags", map_of({{"last", scalar("true")}})}}, {{"by", list_of({"k"})}}),
                 open_schema({"k", "tags"}));
  const Value list[] = {Value::string("x"), Value::int64(7)};
  const Value pair[] = {Value::string("a"), Value::list(list, 2)};
  node.records({strings({"l", "m"}), {Value::list(list, 2), Value::map(pair, 1)}}, {0, 0});
  node.checkpoint();
  node.restart(2);
  node.records({strings({"l", "m"}), strings({nullptr, nullptr})}, {kSecond, kSecond});
  std::multiset<std::string> given;
  for (const Value& tags : node.given("tags")) {
    std::string json;
    append_json(tags, json);
    given.insert(json);
  }
  CHECK(given == std::multiset<std::string>{R"(["x",7])", R"(["x",7])", R"({"a":["x",7]})",
                                            R"({"a":["x",7]})"});
}

TEST_CASE("Keys of last values have a limit and damaged ones stop the start") {
  KeyedNode node("fill",
                 fields({{"os", map_of({{"last", scalar("true")}})}},
                        {{"by", list_of({"k"})}, {"max_keys", scalar("1")}}),
                 open_schema({"k", "os"}));
  node.records({{Value::string("a"), Value::string("b"), Value::string("b"), Value::missing()},
                strings({"x", "y", nullptr, "z"})},
               {0, 1, 2, 3});
  CHECK(node.out().dropped[DropReason::shed] == 1);
  CHECK(node.out().rejected.size() == 1);
  node.checkpoint();
  const std::string good = node.rows.begin()->second;
  for (std::size_t size = 0; size < good.size(); ++size) {
    node.rows.begin()->second = good.substr(0, size);
    CHECK(node.restart_error() == "the state of a key is damaged");
  }
  node.rows.begin()->second = '\7' + good.substr(1);
  CHECK(node.restart_error() == "the state of a key has an unknown version");
}

TEST_CASE("Wrong settings of fill are reported") {
  const auto errors = [](const ConfigNode& settings) {
    return OperatorFixture("fill", settings, open_schema({"a"})).problems.errors();
  };
  CHECK(errors(map_of({})) == 1);
  CHECK(errors(fields({{"a", map_of({{"form", scalar("b")}})}})) == 1);
  CHECK(errors(fields({{"a", map_of({{"from", scalar("b +")}})}})) == 1);
  CHECK(errors(fields({{"a", map_of({{"last", scalar("true")}})}})) == 1);
  CHECK(errors(fields({{"a", map_of({{"last", scalar("false")}})}})) == 1);
  CHECK(errors(fields({{"a", scalar("1")}}, {{"by", list_of({"a"})}})) == 1);
  CHECK(errors(fields({{"a", scalar("1")}}, {{"when", list_of({"nul"})}})) == 1);
  CHECK(errors(fields({{"a", list_of({"1"})}})) == 1);
  Schema closed = open_schema({"host"});
  closed.open = false;
  CHECK(OperatorFixture("fill", map_of({{"drop", list_of({"hots"})}}), closed).problems.errors() ==
        1);
}
