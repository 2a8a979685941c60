// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

TEST_CASE("Map sets from the input, then renames, removes and keeps") {
  OperatorFixture f("map",
                    map_of({{"set", map_of({{"a", scalar("a + 1")}, {"twice", scalar("a * 2")}})},
                            {"rename", map_of({{"b", scalar("c")}})},
                            {"remove", list_of({"d"})}}),
                    open_schema({"a", "b", "d"}));
  const Schema& out = f.ports.out;
  CHECK(out.open);
  CHECK(out.hidden == std::vector<std::string>{"b", "d"});
  CHECK_FALSE(out.find("b"));
  CHECK_FALSE(out.find("d"));
  CHECK(out.fields[*out.find("c")].derived);
  f.run(batch_of({{Value::int64(1), Value::int64(5)}, strings({"x", "y"}), strings({"p", "q"})}));
  CHECK(f.value("a", 1).as_int() == 6);
  CHECK(f.value("twice", 1).as_int() == 10);
  CHECK(f.value("c", 0).text() == "x");
}

TEST_CASE("Two fields can change places") {
  OperatorFixture f("map", map_of({{"rename", map_of({{"a", scalar("b")}, {"b", scalar("a")}})}}),
                    open_schema({"a", "b"}));
  f.run(batch_of({strings({"1"}), strings({"2"})}));
  CHECK(f.value("a", 0).text() == "2");
  CHECK(f.value("b", 0).text() == "1");
  CHECK(f.ports.out.hidden.empty());
}

TEST_CASE("A record without the field that is renamed keeps what it has at the new name") {
  OperatorFixture f("map", map_of({{"rename", map_of({{"old", scalar("new")}})}}),
                    open_schema({"old", "new"}));
  f.run(batch_of({{Value::string("1"), Value::missing(), Value::null(), Value::missing()},
                  {Value::string("2"), Value::string("2"), Value::string("2"), Value::missing()}}));
  CHECK(f.value("new", 0).text() == "1");
  CHECK(f.value("new", 1).text() == "2");
  CHECK(f.value("new", 2).is(Kind::null));  // it had the field
  CHECK(f.value("new", 3).is(Kind::missing));
}

TEST_CASE("What a record keeps at the new name of another field is what set made of it") {
  OperatorFixture f("map",
                    map_of({{"set", map_of({{"new", scalar("1 + 1")}})},
                            {"rename", map_of({{"old", scalar("new")}, {"new.x", scalar("y")}})}}),
                    open_schema({"old", "new", "new.x"}));
  f.run(batch_of({strings({nullptr, "1"}), strings({"2", "2"}), strings({nullptr, nullptr})}));
  CHECK(f.value("new", 0).as_int() == 2);
  CHECK(f.value("new", 1).text() == "1");
}

TEST_CASE("keep closes the record") {
  OperatorFixture f("map", map_of({{"keep", list_of({"b", "a"})}}), open_schema({"a", "b", "c"}));
  CHECK_FALSE(f.ports.out.open);
  REQUIRE(f.ports.out.fields.size() == 2);
  CHECK(f.ports.out.fields[0].name == "b");
  f.run(batch_of({strings({"1"}), strings({"2"}), strings({"3"})}));
  CHECK(f.value("b", 0).text() == "2");
}

TEST_CASE("What is removed from an object is gone from the object that is kept or renamed") {
  const auto object = [](OperatorFixture& f, const char* name, std::string_view text) {
    f.run(batch_of({{Value::json(text), Value::string("o"), Value::null()}}));
    CHECK(f.value(name, 1).text() == "o");
    CHECK(f.value(name, 2).is(Kind::null));
    return std::string(f.value(name, 0).text());
  };
  OperatorFixture kept("map",
                       map_of({{"remove", list_of({"o.c", "o.d.e"})}, {"keep", list_of({"o"})}}),
                       open_schema({"o"}));
  CHECK(object(kept, "o", R"({"a":1, "c":{"d":2},"d":{"e":3,"f":4},"o.c":5})") ==
        R"({"a":1,"d":{"f":4},"o.c":5})");
  OperatorFixture renamed(
      "map", map_of({{"rename", map_of({{"o", scalar("p")}})}, {"remove", list_of({"p.c"})}}),
      open_schema({"o"}));
  CHECK(object(renamed, "p", R"({"c":2})") == "{}");
  OperatorFixture moved(
      "map", map_of({{"rename", map_of({{"o.c", scalar("x")}})}, {"keep", list_of({"x", "o"})}}),
      open_schema({"o"}));
  CHECK(object(moved, "o", R"({"c":1,"cc":2})") == R"({"cc":2})");
}

TEST_CASE("A record whose expression fails is rejected, the others go on") {
  OperatorFixture f("map", map_of({{"set", map_of({{"x", scalar("10 / n")}})}}),
                    open_schema({"n"}));
  f.run(batch_of({{Value::int64(0), Value::int64(5), Value::missing()}}));
  REQUIRE(f.out.batches[0].size() == 1);
  CHECK(f.value("x", 0).as_int() == 2);
  REQUIRE(f.out.rejected.size() == 2);
  CHECK(f.out.rejected[0].code == "expression");
}

TEST_CASE("Map needs only what its output is made from") {
  const auto needs = [](const ConfigNode& fields, std::set<std::string> wanted, bool whole) {
    Needs w;
    w.fields = std::move(wanted);
    w.whole = whole;
    return OperatorFixture("map", fields, open_schema({})).plan->needs(w);
  };
  const ConfigNode setting = map_of({{"set", map_of({{"x", scalar("a + 1")}})},
                                     {"rename", map_of({{"old", scalar("new")}})},
                                     {"remove", list_of({"gone"})}});
  CHECK(needs(setting, {"x", "new", "gone", "other"}, false).fields ==
        std::set<std::string>{"a", "new", "old", "other"});
  CHECK(needs(setting, {}, true).whole);
  const ConfigNode keeping = map_of({{"keep", list_of({"a"})}});
  CHECK(needs(keeping, {"b"}, true).fields == std::set<std::string>{"a"});
  CHECK_FALSE(needs(keeping, {"b"}, true).whole);
}

TEST_CASE("What is taken out of a closed record must be there until then") {
  Schema closed = open_schema({"a", "gone"});
  closed.open = false;
  const OperatorFixture f(
      "map", map_of({{"remove", list_of({"gone", "r"})}, {"rename", map_of({{"a", scalar("r")}})}}),
      closed);
  CHECK(f.problems.errors() == 0);
  CHECK(f.plan->needs(Needs{}).fields == std::set<std::string>{"a", "gone", "r"});
}

TEST_CASE("Fields that a closed record does not have are reported") {
  Schema closed = open_schema({"status"});
  closed.open = false;
  for (const char* what : {"remove", "keep"})
    CHECK(OperatorFixture("map", map_of({{what, list_of({"statsu"})}}), closed).problems.errors() ==
          1);
  CHECK(OperatorFixture("map", map_of({{"rename", map_of({{"statsu", scalar("s")}})}}), closed)
            .problems.errors() == 1);
  CHECK(OperatorFixture("map", map_of({}), closed).problems.errors() == 1);
}
