// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::expr_test;

namespace {

struct Mistake {
  const char* text;
  const char* code;
  unsigned column;  // the text begins at column 10
  unsigned length;
  const char* message;
  const char* hint;
};

Schema nginx() {
  Schema s;
  s.fields = {{"status", Type::string}, {"bytes", Type::int64}, {"time", Type::float64},
              {"host", Type::string},   {"tags", Type::list},   {"at", Type::timestamp},
              {"any", Type::any}};
  return s;
}

std::vector<Diagnostic> problems_of(const std::string& text) {
  Diagnostics problems;
  ConfigNode where;
  where.shape = ConfigNode::Shape::scalar;
  where.place = {0, 3, 10, 1};
  where.text = text;
  where.runs = {{0, 3, 10}};
  const auto parsed = expr::Expression::parse({text, where}, problems);
  if (parsed) {
    const bool bound = parsed->bind(nginx(), problems).has_value();
    CHECK(bound == (problems.errors() == 0));
  }
  return problems.all();
}

}  // namespace

TEST_CASE("every mistake has a code, an exact place and a way out") {
  const std::vector<Mistake> mistakes = {
      {"status > 400", "type-mismatch", 10, 12, "no overload: string > int",
       "convert the field first: int(status)"},
      {"status == 404", "type-mismatch", 10, 13, "no overload: string == int",
       "convert the field first: int(status)"},
      {"bytes > 1 && bytes + time > 2.0", "type-mismatch", 23, 12, "no overload: int + double",
       "arithmetic has no mixed types: double(bytes)"},
      {"stauts == 'x'", "unknown-field", 10, 6, "unknown field \"stauts\"",
       "did you mean \"status\"?"},
      {"status.code == 1", "unknown-field", 10, 11,
       "\"status\" is string and has no field \"code\"",
       "use status itself, or take it apart before with a parse operator"},
      {"host.startswith('a')", "unknown-function", 15, 15, "unknown function \"startswith\"",
       "did you mean startsWith()?"},
      {"startsWith(host, 'a')", "unknown-function", 10, 21, "unknown function \"startsWith\"",
       "it is called on a value: x.startsWith(…)"},
      {"host.contains('a', 'b')", "wrong-arguments", 15, 18, "contains() takes 1 argument, got 2",
       "write x.contains(a)"},
      {"host.matches('(')", "bad-pattern", 23, 3, "invalid pattern: missing ): (",
       "patterns are RE2; write them as raw texts: r'\\d+'"},
      {"bytes.matches('a')", "type-mismatch", 16, 12, "no overload: int.matches(string)",
       "convert it first: string(bytes)"},
      {"cidr('10.0.0.0/99').contains(host)", "bad-literal", 10, 19,
       "\"10.0.0.0/99\" is no network such as 10.0.0.0/8", ""},
      {"int('4O4') == bytes", "bad-literal", 10, 10, "\"4O4\" is no int", ""},
      {"host == 'abc'.charAt(-1)", "bad-literal", 24, 10, "offset is out of bounds of the text",
       ""},
      {"bytes == [1, 2][5]", "bad-literal", 19, 9, "index out of bounds: the list has 2 elements",
       ""},
      {"at.getHours('Mars/Base') < 6", "bad-literal", 22, 11, "unknown time zone \"Mars/Base\"",
       "write a name such as Europe/Berlin or UTC, or a distance such as +05:30"},
      {"host && true", "type-mismatch", 10, 12, "&& needs bool, got string",
       "compare it: host == …"},
      {"at > '2026-01-01T00:00:00Z'", "type-mismatch", 10, 27, "no overload: timestamp > string",
       "convert the text first: timestamp('2026-01-01T00:00:00Z')"},
      {"'a' in host", "type-mismatch", 10, 11, "no overload: string in string",
       "to look for a text in a text: host.contains('a')"},
      {"bytes = 3", "bad-expression", 16, 1, "unexpected character \"=\"", "to compare, write =="},
      {"bytes > 3 and time < 1.0", "bad-expression", 20, 3, "expected the end, got \"and\"",
       "write && for \"and\""},
      {"(bytes > 3", "bad-expression", 20, 1, "expected \")\", got the end",
       "something is open until the end: close it, or remove what opens it"},
      {"has(bytes > 3)", "bad-expression", 10, 3, "has() takes one field",
       "for example: has(user.name)"},
      {"tags.exists(t)", "bad-expression", 15, 6, "exists() takes a variable and an expression",
       "for example: tags.exists(t, t != '')"},
      {"for == 1", "bad-expression", 10, 3, "\"for\" is a reserved word",
       "a field of that name is written in back quotes: `for`"},
      {"", "bad-expression", 10, 1, "the expression is empty",
       "write a condition or a value, for example status >= 400"}};
  for (const Mistake& m : mistakes) {
    INFO(m.text);
    const auto found = problems_of(m.text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == m.code);
    CHECK(found[0].place.line == 3);
    CHECK(found[0].place.column == m.column);
    CHECK(found[0].place.length == m.length);
    CHECK(found[0].message == m.message);
    CHECK(found[0].hint == m.hint);
  }
}

TEST_CASE("replace() takes a text, and how many as a number behind it") {
  CHECK(problems_of("host.replace('a', 'b', 1) == ''").empty());
  for (const char* text : {"host.replace('a', 1) == ''", "host.replace('a', 'b', 'c') == ''"}) {
    const auto found = problems_of(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "type-mismatch");
  }
}

TEST_CASE("all mistakes of one expression are reported at once") {
  CHECK(problems_of("stauts == 1 || hots == 2 || status > 3").size() == 3);
}

TEST_CASE("what only the record can tell is not refused") {
  CHECK(problems_of("any > 3 && any.x == 'a' && any + 1 > 2 && any.startsWith('a')").empty());
  CHECK(problems_of("bytes > 2.5 && time >= 3 && status == null").empty());
  CHECK(problems_of("tags.all(t, t > 3)").empty());
}

TEST_CASE("a program knows its type") {
  const auto type_of_text = [](const std::string& text) {
    Diagnostics problems;
    return expr::Expression::parse({text, {}}, problems)->bind(nginx(), problems)->type();
  };
  CHECK(type_of_text("bytes * 8") == Type::int64);
  CHECK(type_of_text("bytes > 8") == Type::boolean);
  CHECK(type_of_text("any") == Type::any);
  CHECK(type_of_text("host + '!'") == Type::string);
  CHECK(type_of_text("at + duration('1h')") == Type::timestamp);
  CHECK(type_of_text("true ? bytes : time") == Type::any);
  CHECK(type_of_text("tags.filter(t, true)") == Type::list);
}
