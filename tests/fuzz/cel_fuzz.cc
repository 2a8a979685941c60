// SPDX-License-Identifier: Apache-2.0
// Any bytes as an expression: parse, bind and evaluate it on a small batch of mixed kinds. A column
// at a time and a record at a time must give the same kind of result, except that only the record
// has one budget for the whole expression.
#include "engine/expr/expression.h"
#include "engine/expr/template.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace streamd;

Schema schema() {
  Schema s;
  s.open = true;
  for (const char* name : {"a", "s", "d", "n", "j", "t"})
    s.fields.push_back({name, Type::any, false});
  return s;
}

Batch batch() {
  const std::vector<std::vector<Value>> columns = {
      {Value::int64(7), Value::missing(), Value::string("400"), Value::float64(1.5)},
      {Value::string("10.0.0.1"), Value::string(""), Value::null(),
       Value::string("\xC3\xA9t\xC3\xA9")},
      {Value::float64(-0.0), Value::float64(1e300), Value::int64(-1), Value::uint64(3)},
      {Value::null(), Value::boolean(true), Value::duration(1), Value::bytes("\xFF")},
      {Value::json(R"([1,"a",{"k":[]}])"), Value::json(R"({"k":1,"k":2})"), Value::json("[broken"),
       Value::json("{}")},
      {Value::timestamp({0}), Value::timestamp({-1}, 999), Value::missing(), Value::string("x")}};
  auto rows = std::make_shared<Rows>();
  rows->time.resize(4);
  rows->floor.resize(4);
  rows->position.resize(4);
  std::vector<ColumnPtr> shared;
  for (const auto& c : columns) shared.push_back(std::make_shared<const Column>(c));
  return Batch(std::move(rows), std::move(shared), std::make_shared<Origin>());
}

void check(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Schema kSchema = schema();
  static const Batch kBatch = batch();
  const std::string text(reinterpret_cast<const char*>(data), size);
  Diagnostics problems;
  const auto parsed = expr::Expression::parse({text, {}}, problems);
  check(parsed.has_value() == (problems.errors() == 0));
  if (parsed) {
    std::set<std::string> fields;
    parsed->fields(fields);
    if (const auto program = parsed->bind(kSchema, problems)) {
      check(problems.errors() == 0);
      Arena arena;
      std::vector<Value> values;
      program->evaluate(kBatch, arena, values);
      for (std::size_t i = 0; i < kBatch.size(); ++i) {
        const Value alone = program->evaluate_row(kBatch, i, arena);
        check(!alone.is(Kind::missing));
        const bool costly =
            alone.is(Kind::error) && alone.text().find("costs too much") != std::string_view::npos;
        check(costly || alone.kind() == values[i].kind());
      }
      std::vector<std::uint32_t> kept;
      std::vector<expr::Program::Failure> failed;
      program->select(kBatch, arena, kept, failed);
      check(kept.size() + failed.size() <= kBatch.size());
    } else {
      check(problems.errors() > 0);
    }
  }
  Diagnostics ignored;
  if (const auto made = expr::Template::parse({text, {}}, ignored))
    if (const auto bound = made->bind(kSchema, ignored)) {
      std::string out;
      for (std::size_t i = 0; i < kBatch.size(); ++i) bound->render(kBatch, i, out);
    }
  return 0;
}
