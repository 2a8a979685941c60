// SPDX-License-Identifier: Apache-2.0
// What operators change inside an object, as seen by who reads the object itself.
#include "engine/codec/encode.h"
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::string_view kObject = R"({"b":"5","c":{"d":1},"l":[1,2]})";

// Column `field` of what leaves, as JSON, when a, a.b and k come in.
std::string left(const std::string& type, const ConfigNode& config,
                 const std::string& field = "a") {
  OperatorFixture f(type, config, open_schema({"a", "a.b", "k"}));
  f.run(batch_of({{Value::json(kObject)}, strings({"5"}), strings({"v"})}));
  std::string text;
  append_json(f.value(field, 0), text);
  return text;
}
ConfigNode set(std::vector<std::pair<std::string, ConfigNode>> set,
               std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {"set", map_of(std::move(set))});
  return map_of(std::move(more));
}
ConfigNode renamed(const char* from, const char* to) { return map_of({{from, scalar(to)}}); }

}  // namespace

TEST_CASE("What map removes is gone from the object for all that come after") {
  CHECK(left("map", map_of({{"remove", list_of({"a.b"})}})) == R"({"c":{"d":1},"l":[1,2]})");
  CHECK(left("map", map_of({{"remove", list_of({"a.b", "a.c.d"})}})) == R"({"c":{},"l":[1,2]})");
  CHECK(left("map", map_of({{"rename", renamed("a.b", "x")}})) == R"({"c":{"d":1},"l":[1,2]})");
  CHECK(left("map", map_of({{"rename", renamed("a", "q")}, {"remove", list_of({"q.b"})}}), "q") ==
        R"({"c":{"d":1},"l":[1,2]})");
}

TEST_CASE("What map sets is in the object for all that come after") {
  const auto b = std::pair{"a.b", scalar("\"1\"")};
  const char* const changed = R"({"b":"1","c":{"d":1},"l":[1,2]})";
  CHECK(left("map", set({b})) == changed);
  CHECK(left("map", set({b}, {{"keep", list_of({"a"})}})) == changed);
  CHECK(left("map", set({b}, {{"rename", renamed("a", "b2")}}), "b2") == changed);
  CHECK(left("map", map_of({{"rename", renamed("k", "a.b")}})) ==
        R"({"b":"v","c":{"d":1},"l":[1,2]})");
  // Every set sees the record as it came in.
  CHECK(left("map", set({b, {"q", scalar("a")}}), "q") == kObject);
}

TEST_CASE("Of several changes at one place of an object the last one counts") {
  const auto b = std::pair{"a.b", scalar("\"1\"")};
  CHECK(left("map", set({b}, {{"remove", list_of({"a.b"})}})) == R"({"c":{"d":1},"l":[1,2]})");
  CHECK(left("map", set({{"a.c", scalar("{'d': 1, 'e': 2}")}}, {{"remove", list_of({"a.c.d"})}})) ==
        R"({"b":"5","c":{"e":2},"l":[1,2]})");
  CHECK(left("map", set({{"a.c.d", scalar("7")}}, {{"rename", renamed("k", "a.c")}})) ==
        R"({"b":"5","c":"v","l":[1,2]})");
  CHECK(left("map", set({b, {"a", scalar("{'b': 2, 'x': 3}")}})) == R"({"b":2,"x":3})");
  CHECK(left("map", set({{"a", scalar("{'b': 2, 'x': 3}")}, b})) == R"({"b":"1","x":3})");
  CHECK(left("map", map_of({{"rename", map_of({{"a.b", scalar("a.l")}, {"a.l", scalar("a.b")}})}}),
             "a.l") == R"("5")");
}

TEST_CASE("A field that an object does not have is not added to it") {
  CHECK(left("map", set({{"a.new", scalar("1")}, {"a.b.c", scalar("1")}})) == kObject);
  CHECK(left("map", set({{"a.new", scalar("1")}}), "a.new") == "1");
}

TEST_CASE("A value that is no object stays as it is") {
  OperatorFixture f("map", map_of({{"remove", list_of({"a.b"})}}), open_schema({"a"}));
  f.run(batch_of({{Value::string("a"), Value::null(), Value(), Value::json(R"([{"b":1}])")}}));
  CHECK(f.value("a", 0).text() == "a");
  CHECK(f.value("a", 1).is(Kind::null));
  CHECK(f.value("a", 2).is(Kind::missing));
  CHECK(f.value("a", 3).text() == R"([{"b":1}])");
}

TEST_CASE("An object set after a part of it was removed is whole") {
  Schema before = open_schema({"a", "k"});
  before.hidden = {"a.b"};
  OperatorFixture f("map", set({{"a", scalar("k")}}), before);
  f.run(batch_of({{Value::json("{}")}, {Value::json(R"({"b":1})")}}));
  CHECK(f.value("a", 0).text() == R"({"b":1})");
}

TEST_CASE("A part is taken out of a closed record's object, too") {
  Schema closed = open_schema({"a", "a.b"});
  closed.open = false;
  OperatorFixture f("map", map_of({{"remove", list_of({"a.b"})}}), closed);
  f.run(batch_of({{Value::json(kObject)}, strings({"5"})}));
  CHECK(f.value("a", 0).text() == R"({"c":{"d":1},"l":[1,2]})");
}

TEST_CASE("What convert makes of a field is in the object") {
  const auto to = [](const char* type) {
    return map_of({{"fields", map_of({{"a.b", scalar(type)}})}});
  };
  CHECK(left("convert", to("int")) == R"({"b":5,"c":{"d":1},"l":[1,2]})");
  // Of a field that only an expression could read nothing is known, and nothing is lost.
  OperatorFixture f("convert", to("int"), open_schema({"a"}));
  f.run(batch_of({{Value::json(kObject)}}));
  CHECK(f.value("a", 0).text() == kObject);
}

TEST_CASE("What fill gives a field is in the object") {
  OperatorFixture f("fill", map_of({{"fields", map_of({{"a.b", scalar("7")}})}}),
                    open_schema({"a", "a.b"}));
  f.run(batch_of({{Value::json(R"({"b":null})"), Value::json(R"({"b":1})")},
                  {Value::null(), Value::int64(1)}}));
  CHECK(f.value("a", 0).text() == R"({"b":7})");
  CHECK(f.value("a", 1).text() == R"({"b":1})");
}

TEST_CASE("What explode takes apart has left the object") {
  OperatorFixture f("explode", map_of({{"field", scalar("a.l")}, {"as", scalar("x")}}),
                    open_schema({"a", "a.l"}));
  f.run(batch_of({{Value::json(kObject)}, {Value::json("[1,2]")}}));
  CHECK(f.value("a", 1).text() == R"({"b":"5","c":{"d":1}})");
  CHECK(left("explode", map_of({{"field", scalar("a.b")}})) == kObject);
}

TEST_CASE("What parse takes apart has left the object") {
  CHECK(left("parse", map_of({{"field", scalar("a.b")},
                              {"format", scalar("regex")},
                              {"pattern", scalar("(?P<n>[0-9])")},
                              {"keep_field", scalar("false")}})) == R"({"c":{"d":1},"l":[1,2]})");
}
