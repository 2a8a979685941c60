// SPDX-License-Identifier: Apache-2.0
#include "engine/match/indicator_list.h"
#include "engine/match/list_slot.h"
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::expr_test;

namespace {

const ManualClock kClock{{1000}};
const std::string kOctets("\x0A\0\0\1", 4);

std::shared_ptr<const IndicatorList> content(const std::vector<std::string>& values) {
  IndicatorListBuilder builder(5);
  for (const auto& value : values) REQUIRE(builder.add({.value = value}).empty());
  return builder.build();
}

std::shared_ptr<ListSlot> slot_of(const std::string& name, const std::vector<std::string>& values) {
  auto slot = std::make_shared<ListSlot>(name, 0);
  slot->put(content(values), &kClock);
  return slot;
}

Table with_lists(Table t, const std::vector<std::shared_ptr<ListSlot>>& slots) {
  auto scope = std::make_shared<ListScope>();
  for (const auto& slot : slots) scope->add(slot);
  t.schema.lists = scope;
  return t;
}

Table one(const Value& value) {
  return with_lists(
      table({{"x", {value}}}),
      {slot_of("bad", {"10.0.0.0/8", "evil.example", "64500"}), slot_of("worse", {"192.0.2.1"})});
}

expr::Program bound(const std::string& text, const Table& t) {
  Diagnostics problems;
  const auto program = expr::Expression::parse({text, {}}, problems)->bind(t.schema, problems);
  REQUIRE(program);
  return *program;
}

}  // namespace

TEST_CASE("a value is in a list as what it is") {
  CHECK(evaluated("x in list('bad')", one(Value::string("10.1.2.3"))) == "bool true");
  CHECK(evaluated("x in list('bad')", one(Value::string("11.1.2.3"))) == "bool false");
  CHECK(evaluated("x in list('bad')", one(Value::string("a.EVIL.example"))) == "bool true");
  CHECK(evaluated("x in list('bad')", one(Value::ip(kOctets))) == "bool true");
  CHECK(evaluated("x in list('bad')", one(Value::int64(64500))) == "bool true");
  CHECK(evaluated("x in list('bad')", one(Value::uint64(64501))) == "bool false");
  CHECK(evaluated("x in list('bad')", one(Value::null())) == "bool false");
  CHECK(evaluated("ip('10.0.0.1') in list('bad')", one(Value::null())) == "bool true");
  CHECK(evaluated("cidr('10.2.0.0/16') in list('bad')", one(Value::null())) == "bool true");
  CHECK(evaluated("'evil.example' in list('bad')", one(Value::null())) == "bool true");
}

TEST_CASE("several lists are one question") {
  const Table t = one(Value::string("192.0.2.1"));
  CHECK(evaluated("x in list('bad')", t) == "bool false");
  CHECK(evaluated("x in list('bad', 'worse')", t) == "bool true");
  CHECK(evaluated("!(x in list('bad')) && x in list('worse')", t) == "bool true");
  CHECK(evaluated("x in list('worse') ? 'yes' : 'no'", t) == "string yes");
}

TEST_CASE("elements of a list of values are asked for one by one") {
  const Table t = one(Value::json(R"(["a.test","www.evil.example"])"));
  CHECK(evaluated("x.exists(h, h in list('bad'))", t) == "bool true");
  CHECK(evaluated("x.exists(h, h in list('worse'))", t) == "bool false");
  std::string why;
  CHECK(evaluated("x in list('bad')", t, &why) == "error");
  CHECK(why.find("in list(…), which takes an address or a text") != std::string::npos);
}

TEST_CASE("a field that is missing or no indicator is an error of that record") {
  std::string why;
  CHECK(evaluated("x in list('bad')", one(Value::missing()), &why) == "error");
  CHECK(why == "no such field \"x\"");
  CHECK(evaluated("x in list('bad')", one(Value::float64(1.5))) == "error");
  CHECK(evaluated("x in list('bad')", one(Value::boolean(true))) == "error");
  CHECK(evaluated("has(x) && x in list('bad')", one(Value::missing())) == "bool false");
}

TEST_CASE("a column gives what its records give one by one") {
  const std::vector<Value> values = {
      Value::string("10.1.2.3"), Value::missing(),  Value::null(),      Value::string("x"),
      Value::ip(kOctets),        Value::float64(1), Value::int64(64500)};
  const Table t = with_lists(table({{"x", values}}), {slot_of("bad", {"10.0.0.0/8", "64500"})});
  const auto program = bound("x in list('bad')", t);
  CHECK(program.type() == Type::boolean);
  Arena arena;
  std::vector<Value> column;
  program.evaluate(t.batch, arena, column);
  for (std::size_t i = 0; i < values.size(); ++i)
    CHECK(shown(program.evaluate_row(t.batch, i, arena)) == shown(column[i]));
  std::vector<std::uint32_t> kept;
  std::vector<expr::Program::Failure> failed;
  program.select(t.batch, arena, kept, failed);
  CHECK(kept == std::vector<std::uint32_t>{0, 4, 6});
  CHECK(failed.size() == 2);
}

TEST_CASE("new content is seen by the next evaluation, and nothing before there is any") {
  const auto slot = std::make_shared<ListSlot>("bad", 0);
  const Table t = with_lists(table({{"x", {Value::string("10.0.0.1")}}}), {slot});
  const auto program = bound("x in list('bad')", t);
  Arena arena;
  CHECK(shown(program.evaluate_row(t.batch, 0, arena)) == "bool false");
  slot->put(content({"10.0.0.0/8"}), &kClock);
  CHECK(shown(program.evaluate_row(t.batch, 0, arena)) == "bool true");
  slot->put(content({"11.0.0.0/8"}), &kClock);
  CHECK(shown(program.evaluate_row(t.batch, 0, arena)) == "bool false");
}

TEST_CASE("lists are no fields") {
  Diagnostics problems;
  std::set<std::string> fields;
  expr::Expression::parse({"client.ip in list('bad')", {}}, problems)->fields(fields);
  CHECK(fields == std::set<std::string>{"client.ip"});
}

TEST_CASE("mistakes about lists are told") {
  const Table t = one(Value::string(""));
  CHECK(evaluated("x in list('bat')", t) == "refused: unknown list \"bat\"");
  CHECK(evaluated("x in list()", t) == "refused: list() takes the name of a list");
  CHECK(evaluated("x in list(x)", t) == "refused: list() takes names in quotes");
  CHECK(evaluated("list('bad')", t) == "refused: unknown function \"list\"");
  CHECK(evaluated("1.5 in list('bad')", t) == "refused: no overload: double in list(…)");
  CHECK(evaluated("x in list('bad')", table({{"x", {Value::string("")}}})) ==
        "refused: unknown list \"bad\"");
}
