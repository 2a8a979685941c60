// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

#include <set>

using namespace streamd;
using namespace streamd::expr_test;

namespace {
std::string rendered(const std::string& text, const Table& t, std::size_t i = 0) {
  Diagnostics problems;
  const auto parsed = expr::Template::parse({text, {}}, problems);
  const auto bound = parsed ? parsed->bind(t.schema, problems) : std::nullopt;
  if (!bound) return "refused: " + problems.all()[0].message;
  std::string out, why;
  return bound->render(t.batch, i, out, &why) ? out : "failed: " + why;
}
}  // namespace

TEST_CASE("holes print values as people write them") {
  const Table t = table({{"ip", {Value::string("10.0.0.1"), Value::missing()}},
                         {"n", {Value::int64(-3), Value::float64(0.1)}},
                         {"at", {Value::timestamp({1'500'000}), Value::null()}},
                         {"j", {Value::json(R"({"a":[1]})"), Value::json("[]")}}});
  CHECK(rendered("{{ ip }} ({{n}}) at {{ at }}: {{ j }}", t) ==
        "10.0.0.1 (-3) at 1970-01-01T00:00:01.5Z: {\"a\":[1]}");
  CHECK(rendered("{{ n }} {{ at }} {{ [n, 'x'] }}", t, 1) == "0.1 null [0.1,\"x\"]");
  CHECK(rendered("{{ ip }}", t, 1) == "failed: no such field \"ip\"");
  CHECK(rendered("{{ has(ip) ? ip : '-' }}", t, 1) == "-");
  CHECK(rendered("{{ {'a': {'b': n}}.a.b }}|{{ '}}' }}", t) == "-3|}}");
}

TEST_CASE("what stands in texts and comments does not close a hole") {
  const Table t = table({{"m", {Value::string(R"(C:\it's)")}}, {"n", {Value::int64(1)}}});
  CHECK(rendered(R"({{ m.replace(r'\', '/') }}|)", t) == "C:/it's|");
  CHECK(rendered(R"({{ m.replace(R"\", '/') }}|)", t) == "C:/it's|");
  CHECK(rendered(R"({{ string(rb'\') }}|)", t) == "\\|");
  CHECK(rendered(R"({{ '\'' + "\"" + '\\' }}|)", t) == "'\"\\|");
  CHECK(rendered("{{ n }}{{ n == 1 ? '''it's }} here''' : r'' }}|", t) == "1it's }} here|");
  CHECK(rendered(R"({{ """a"b""" }}|)", t) == "a\"b|");
  CHECK(rendered("{{ m // it's a name\n }}|", t) == "C:\\it's|");
  CHECK(rendered("{{ m // it's a name }}|", t) == "C:\\it's|");
  for (const char* open : {"{{ 'a\\' }}", "{{ r'a }}", "{{ '''a' }}", "{{ `a }}", "{{ m // a"})
    CHECK(rendered(open, t) == "refused: \"{{\" is not closed by \"}}\"");
}

TEST_CASE("doubled braces are text") {
  const Table t = table({{"x", {Value::int64(1)}}});
  CHECK(rendered("{{{{ x }}}} {{ x }} } {", t) == "{{ x }} 1 } {");
  CHECK(rendered("plain", t) == "plain");
  CHECK(rendered("", t).empty());
}

TEST_CASE("a selected row is rendered by its place in the batch") {
  const Table t = table({{"x", {Value::int64(1), Value::int64(2), Value::int64(3)}}});
  Table picked{t.schema, t.batch.select({2})};
  CHECK(rendered("{{ x }}", picked) == "3");
}

TEST_CASE("templates know their prefix and fields") {
  Diagnostics problems;
  const auto t = expr::Template::parse({"nginx-{{ a.b }}-{{ c }}", {}}, problems);
  REQUIRE(t);
  CHECK_FALSE(t->literal());
  CHECK(t->literal_prefix() == "nginx-");
  std::set<std::string> fields;
  t->fields(fields);
  CHECK(fields == std::set<std::string>{"a.b", "c"});
  const auto plain = expr::Template::parse({"all of it", {}}, problems);
  REQUIRE(plain);
  CHECK(plain->literal());
  CHECK(plain->literal_prefix() == "all of it");
}

TEST_CASE("broken templates are refused at their place") {
  const auto place_of = [](const std::string& text) {
    Diagnostics problems;
    ConfigNode where;
    where.shape = ConfigNode::Shape::scalar;
    where.place = {0, 3, 10, 1};
    where.text = text;
    where.runs = {{0, 3, 10}};
    CHECK_FALSE(expr::Template::parse({text, where}, problems));
    REQUIRE(problems.errors() > 0);
    return problems.all()[0].place.column;
  };
  CHECK(place_of("ab {{ x") == 13);
  CHECK(place_of("ab {{ x + }} {{ y }}") == 20);
  CHECK(place_of("{{ }}") == 12);
}
