// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

std::string shown(const OperatorFixture& f, const std::string& field, std::size_t i) {
  const Value& value = f.value(field, i);
  std::string out;
  if (!value.is(Kind::missing)) append_json(value, out);
  return out;
}

}  // namespace

TEST_CASE("What is found in a text is one list, each value once") {
  OperatorFixture f("extract", map_of({{"field", scalar("m")}}), open_schema({"m"}));
  CHECK(f.ports.out.fields[1].name == "found");
  CHECK(f.ports.out.fields[1].type == Type::list);
  CHECK(f.ports.out.fields[1].derived);
  f.run(batch_of(
      {{Value::string("1.2.3.4 to hxxp://evil[.]example/x by 1.2.3.4"), Value::string("nothing"),
        Value::missing(), Value::int64(1), Value::json(R"({"a":["a@b.example"]})")}}));
  CHECK(shown(f, "found", 0) == R"(["1.2.3.4","http://evil.example/x","evil.example"])");
  for (std::size_t i = 1; i < 4; ++i) CHECK(f.value("found", i).is(Kind::missing));
  CHECK(shown(f, "found", 4) == R"(["a@b.example"])");
}

TEST_CASE("Strings of JSON objects are looked through as they read") {
  OperatorFixture f("extract", map_of({{"field", scalar("m")}}), open_schema({"m"}));
  f.run(batch_of(
      {{Value::json(R"({"u":"http:\/\/evil.example\/x?\"y\"","l":["line\n192.0.2.7\tevil.com"]})"),
        Value::json(R"({"\u0031.2.3.4":1,"e":"","p":"C:\\temp\\","q":"10.0.0.1"})")}}));
  CHECK(shown(f, "found", 0) ==
        R"(["http://evil.example/x","evil.example","192.0.2.7","evil.com"])");
  CHECK(shown(f, "found", 1) == R"(["1.2.3.4","10.0.0.1"])");
}

TEST_CASE("Objects and lists that a node has made are looked through too") {
  Value items[] = {Value::string("src"), Value::string("192.0.2.1"), Value::string("to"),
                   Value::string("a\n@b\t198.51.100.7")};
  OperatorFixture f("extract", map_of({{"field", scalar("m")}}), open_schema({"m"}));
  f.run(batch_of({{Value::map(items, 2), Value::list(items + 1, 1), Value::map(items, 0)}}));
  CHECK(shown(f, "found", 0) == R"(["192.0.2.1","198.51.100.7"])");
  CHECK(shown(f, "found", 1) == R"(["192.0.2.1"])");
  CHECK(f.value("found", 2).is(Kind::missing));
}

TEST_CASE("Several fields and lists by kind") {
  OperatorFixture f("extract",
                    map_of({{"fields", list_of({"a", "b"})},
                            {"kinds", list_of({"domain", "ip"})},
                            {"by_kind", scalar("true")},
                            {"as", scalar("x")}}),
                    open_schema({"a", "b", "x.ip"}));
  CHECK(f.ports.out.fields.size() == 4);
  CHECK(f.plan->needs({{"x.ip", "x.domain", "c"}, false}).fields ==
        std::set<std::string>{"a", "b", "c"});
  f.run(batch_of({strings({"1.2.3.4 a.example", "q"}), strings({"c.example 1.2.3.4 e@f.org", "z"}),
                  strings({"old", "old"})}));
  CHECK(shown(f, "x.ip", 0) == R"(["1.2.3.4"])");
  CHECK(shown(f, "x.domain", 0) == R"(["a.example","c.example","f.org"])");
  CHECK(f.value("x.ip", 1).is(Kind::missing));
}

TEST_CASE("Records that were left out are not looked at, and the others keep their rows") {
  OperatorFixture f("extract", map_of({{"field", scalar("m")}, {"max", scalar("1")}}),
                    open_schema({"m"}));
  f.run(batch_of({strings({"1.1.1.1", "2.2.2.2", "3.3.3.3 4.4.4.4"})}).select({1, 2}));
  CHECK(shown(f, "found", 0) == R"(["2.2.2.2"])");
  CHECK(shown(f, "found", 1) == R"(["3.3.3.3"])");
}

TEST_CASE("explode takes the list that extract makes") {
  OperatorFixture f("extract", map_of({{"field", scalar("m")}}), open_schema({"m"}));
  f.run(batch_of({strings({"1.1.1.1 2.2.2.2", "none"})}));
  OperatorFixture e("explode", map_of({{"field", scalar("found")}}), f.ports.out);
  e.run(f.out.batches[0]);
  REQUIRE(e.out.batches[0].size() == 2);
  CHECK(e.value("found", 1).text() == "2.2.2.2");
  CHECK(e.out.dropped[DropReason::filtered] == 1);
}

TEST_CASE("Settings that can't be are reported") {
  const auto errors = [](const ConfigNode& fields) {
    return OperatorFixture("extract", fields, open_schema({"m"})).problems.errors();
  };
  CHECK(errors(map_of({})) == 1);
  CHECK(errors(map_of({{"field", scalar("m")}, {"fields", list_of({"n"})}})) == 1);
  CHECK(errors(map_of({{"field", scalar("m")}, {"kinds", list_of({"ipv4"})}})) == 1);
  CHECK(errors(map_of({{"field", scalar("m")}, {"kinds", list_of({"ip", "ip"})}})) == 1);
  CHECK(errors(map_of({{"field", scalar("m")}, {"max", scalar("0")}})) == 1);
  CHECK(errors(map_of({{"field", scalar("m")}, {"as", scalar("")}})) == 1);
  Schema closed = open_schema({"message"});
  closed.open = false;
  CHECK(OperatorFixture("extract", map_of({{"field", scalar("m")}}), closed).problems.errors() ==
        1);
}
