// SPDX-License-Identifier: Apache-2.0
// Batches and one-line evaluation for the tests of expr.
#pragma once

#include "engine/expr/expression.h"
#include "engine/expr/template.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd::expr_test {

struct Input {
  std::string name;
  std::vector<Value> values;
  Type type = Type::any;
};

struct Table {
  Schema schema;
  Batch batch;
};

inline Table table(const std::vector<Input>& inputs, bool open = false) {
  Table out;
  out.schema.open = open;
  const std::size_t n = inputs.empty() ? 1 : inputs[0].values.size();
  auto rows = std::make_shared<Rows>();
  rows->time.resize(n);
  rows->floor.resize(n);
  rows->position.resize(n);
  std::vector<ColumnPtr> columns;
  for (const Input& input : inputs) {
    out.schema.fields.push_back({input.name, input.type, false});
    columns.push_back(std::make_shared<const Column>(input.values));
  }
  out.batch = Batch(std::move(rows), std::move(columns), std::make_shared<Origin>());
  return out;
}

inline std::string shown(const Value& v) {
  if (v.is(Kind::error)) return "error";
  if (v.is(Kind::missing)) return "missing";
  std::string out(kind_name(v.kind()));
  out += ' ';
  expr::append_printed(v, out);
  return out;
}

// "int 3", "bool true", "string abc"; "error" when evaluation failed; "refused: …" when the text
// did not parse or bind.
inline std::string evaluated(const std::string& text, const Table& t, std::string* why = nullptr) {
  Diagnostics problems;
  const auto parsed = expr::Expression::parse({text, {}}, problems);
  const auto program = parsed ? parsed->bind(t.schema, problems) : std::nullopt;
  if (!program) return "refused: " + problems.all()[0].message;
  Arena arena;
  std::vector<Value> out;
  program->evaluate(t.batch, arena, out);
  if (why != nullptr && out[0].is(Kind::error)) *why = out[0].text();
  return shown(out[0]);
}
inline std::string evaluated(const std::string& text) { return evaluated(text, table({})); }

struct Case {
  const char* text;
  const char* result;
};

}  // namespace streamd::expr_test
