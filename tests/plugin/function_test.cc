// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression.h"
#include "tests/contract/component.h"
#include "tests/plugin/subject.h"

namespace streamd::test {
namespace {

Schema schema() {
  Schema in;
  in.fields = {{"n", Type::any}, {"name", Type::string}};
  in.functions = subject_registry().functions();
  return in;
}

struct Outcome {
  std::string value, problem, hint;
};

Outcome evaluate(const std::string& text, const Value& n = Value::int64(4)) {
  Diagnostics problems;
  Outcome outcome;
  const auto parsed = expr::Expression::parse({text, scalar(text)}, problems);
  const auto program = parsed ? parsed->bind(schema(), problems) : std::nullopt;
  if (!program) {
    outcome.problem = problems.all().at(0).message;
    outcome.hint = problems.all().at(0).hint;
    return outcome;
  }
  Arena arena;
  const Batch batch = batch_of({{n}, {Value::string("ann")}});
  const Value value = program->evaluate_row(batch, 0, arena);
  if (value.is(Kind::int64))
    outcome.value = std::to_string(value.as_int());
  else if (value.is(Kind::string) || value.is(Kind::error))
    outcome.value = std::string(kind_name(value.kind())) + " " + std::string(value.text());
  return outcome;
}

TEST_CASE("expressions call functions of plugins", "[plugin]") {
  CHECK(evaluate("twice(n) + 1").value == "9");
  CHECK(evaluate("twice(21)").value == "42");
  CHECK(evaluate("name.shout()").value == "string ann!");
  CHECK(evaluate("name.shout().size()").value == "4");
}

TEST_CASE("calls of plugin functions are checked like others", "[plugin]") {
  CHECK(evaluate("twice(name)").problem.find("twice") != std::string::npos);
  CHECK(evaluate("twice(1, 2)").problem == "twice() takes 1 argument, got 2");
  CHECK(evaluate("shout(name)").hint.find("x.shout") != std::string::npos);
  CHECK(evaluate("twize(n)").hint == "did you mean twice()?");
}

TEST_CASE("a plugin function fails for its record only", "[plugin]") {
  CHECK(evaluate("name.substring(3).shout()").value == "error silence");
  const std::string thrown = evaluate("twice(n)", Value::int64(13)).value;
  CHECK(thrown.find("plugin \"subject\" (subject.so): twice(): an exception came out: unlucky") !=
        std::string::npos);
}

TEST_CASE("a plugin function that fails with constants is a mistake in the expression",
          "[plugin]") {
  CHECK(evaluate("''.shout()").problem == "silence");
}

TEST_CASE("a plugin function gets no kind that it does not take", "[plugin]") {
  CHECK(evaluate("twice(n)", Value::float64(1)).value ==
        "error twice() takes no double as argument 1");
}

TEST_CASE("without the plugin its functions are unknown", "[plugin]") {
  Diagnostics problems;
  const auto parsed = expr::Expression::parse({"twice(1)", scalar("twice(1)")}, problems);
  REQUIRE(parsed);
  CHECK_FALSE(parsed->bind({}, problems));
  CHECK(problems.all().at(0).code == "unknown-function");
}

}  // namespace
}  // namespace streamd::test
