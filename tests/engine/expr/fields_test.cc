// SPDX-License-Identifier: Apache-2.0
// Names, missing fields and the inside of JSON values.
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

#include <set>

using namespace streamd;
using namespace streamd::expr_test;

namespace {
std::set<std::string> fields_of(const std::string& text) {
  Diagnostics problems;
  std::set<std::string> out;
  const auto parsed = expr::Expression::parse({text, {}}, problems);
  REQUIRE(parsed);
  parsed->fields(out);
  return out;
}
}  // namespace

TEST_CASE("fields() gives whole dotted paths and no variables") {
  using Names = std::set<std::string>;
  CHECK(fields_of("status >= 400 && location.country == 'CH'") ==
        Names{"status", "location.country"});
  CHECK(fields_of("tags.exists(t, t.name == other)") == Names{"tags", "other"});
  CHECK(fields_of("tags[0].x.y == a.b.size()") == Names{"tags", "a.b"});
  CHECK(fields_of("has(a.b.c) && `@timestamp` > 1") == Names{"a.b.c", "@timestamp"});
  CHECK(fields_of("x.all(x, .x == x)") == Names{"x"});
  CHECK(fields_of("type(a) == int && math.abs(b) > 0") == Names{"a", "b"});
  CHECK(fields_of("type == 'a' || type(`int`) == string") == Names{"int", "type"});
  CHECK(fields_of("type == 'a' && int > 3") == Names{"type", "int"});
  CHECK(fields_of("type(v) == string && type == 'login'") == Names{"v", "type"});
  CHECK(fields_of("type(v) in [int, list] && int in [list]") == Names{"v", "int", "list"});
  CHECK(fields_of("google.protobuf.Timestamp != type(t)") == Names{"t"});
}

TEST_CASE("names of types are types beside type() and fields everywhere else") {
  const Table t = table({{"v", {Value::string("s")}},
                         {"type", {Value::string("login")}},
                         {"string", {Value::string("text")}},
                         {"list", {Value::int64(3)}}});
  CHECK(evaluated("type(v) == string && type == 'login'", t) == "bool true");
  CHECK(evaluated("string != type(v)", t) == "bool false");
  CHECK(evaluated("type(v) in [int, string] && string == 'text'", t) == "bool true");
  CHECK(evaluated("type(type(v)) == type", t) == "bool true");
  CHECK(evaluated("type(v) == `string`", t) == "bool false");
  CHECK(evaluated("type(list) == int ? list + 1 : 0", t) == "int 4");
  CHECK(evaluated("[1].exists(string, type(v) == string)", t) == "bool false");
  CHECK(evaluated("type(v) == string && bool == true", t) == "refused: unknown field \"bool\"");
}

TEST_CASE("the longest column wins, the rest selects inside it") {
  const Table t = table({{"a.b", {Value::int64(1)}},
                         {"a", {Value::json(R"({"b": 2, "c": {"d": [3, "x"]}, "n": null})")}},
                         {"e", {Value::null()}},
                         {"m", {Value::missing()}},
                         {"s", {Value::string("text")}}});
  CHECK(evaluated("a.b", t) == "int 1");
  CHECK(evaluated("a.c.d[0]", t) == "int 3");
  CHECK(evaluated("a.c.d.size()", t) == "int 2");
  CHECK(evaluated("a['b']", t) == "int 2");
  CHECK(evaluated("'x' in a.c.d", t) == "bool true");
  CHECK(evaluated("has(a.n) && a.n == null", t) == "bool true");
  CHECK(evaluated("has(a.zzz)", t) == "bool false");
  CHECK(evaluated("has(a.zzz.y)", t) == "error");
  CHECK(evaluated("has(e)", t) == "bool true");
  CHECK(evaluated("e == null", t) == "bool true");
  CHECK(evaluated("has(m)", t) == "bool false");
  CHECK(evaluated("a.c == {'d': [3, 'x']}", t) == "bool true");
  CHECK(evaluated("s.length", t) == "error");
  std::string why;
  CHECK(evaluated("m", t, &why) == "error");
  CHECK(why == "no such field \"m\"");
  CHECK(evaluated("m == null", t, &why) == "error");
  CHECK(evaluated("m > 3", t, &why) == "error");
  CHECK(why == "no such field \"m\"");
  CHECK(evaluated("has(m) ? m : 'none'", t) == "string none");
}

TEST_CASE("a field that an open schema has no column for is absent") {
  const Table t = table({{"a", {Value::int64(1)}}}, true);
  std::string why;
  CHECK(evaluated("b.c == 1", t, &why) == "error");
  CHECK(why == "no such field \"b.c\"");
  CHECK(evaluated("has(b.c)", t) == "bool false");
  CHECK(evaluated("b == 1 || a == 1", t) == "bool true");
}

TEST_CASE("a removed field of an open schema is refused") {
  Table t = table({{"a", {Value::int64(1)}}}, true);
  t.schema.hidden = {"secret"};
  CHECK(evaluated("secret == 1", t) ==
        "refused: field \"secret\" was removed or renamed before this node");
  CHECK(evaluated("secret.part == 1", t) ==
        "refused: field \"secret\" was removed or renamed before this node");
}

TEST_CASE("text is never silently a number") {
  const Table t = table({{"status", {Value::string("404")}}});
  std::string why;
  CHECK(evaluated("status >= 400", t, &why) == "error");
  CHECK(why == "no matching overload: string >= int; convert the field first");
  CHECK(evaluated("int(status) >= 400", t) == "bool true");
  CHECK(evaluated("status + 1", t) == "error");
}
