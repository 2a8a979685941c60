// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression.h"

#include "engine/expr/bind.h"
#include "engine/expr/column_kit.h"
#include "engine/expr/parser.h"
#include "engine/expr/scalar.h"

#include <string>
#include <vector>

namespace streamd::expr {
namespace {

RowSet selected_rows(const Batch& in) {
  return {in.selection() != nullptr ? in.selection()->data() : nullptr,
          static_cast<std::uint32_t>(in.size())};
}

// A batch, or a record that is asked for alone, sees one content of each list.
std::vector<ListView> take_lists(const CompiledProgram& program) {
  std::vector<ListView> views;
  views.reserve(program.lists.size());
  for (const auto& slot : program.lists) views.push_back(slot->take());
  return views;
}

std::string_view reason_of(Context& context, const Node& root, std::uint32_t row) {
  context.row = row;
  context.budget = kMaxCost;
  const Value v = interpret(context, root);
  if (v.is(Kind::error)) return v.text();
  return failure(context, "the condition gives " + std::string(kind_name(v.kind())) + ", not bool")
      .text();
}

}  // namespace

Program::Program(std::shared_ptr<const CompiledProgram> compiled)
    : compiled_(std::move(compiled)) {}

Type Program::type() const { return compiled_->root->type; }

void Program::evaluate(const Batch& in, Arena& arena, std::vector<Value>& out) const {
  out.resize(in.physical_rows());
  const auto lists = take_lists(*compiled_);
  Context context{arena};
  context.lists = lists.data();
  context.batch = &in;
  fill_values(context, *compiled_->root, selected_rows(in), out.data());
}

Value Program::evaluate_row(const Batch& in, std::size_t i, Arena& arena) const {
  const auto lists = take_lists(*compiled_);
  Context context{arena};
  context.lists = lists.data();
  context.batch = &in;
  context.row = in.physical(i);
  return interpret(context, *compiled_->root);
}

void Program::select(const Batch& in, Arena& arena, std::vector<std::uint32_t>& kept,
                     std::vector<Failure>& failed) const {
  kept.clear();
  failed.clear();
  if (in.empty()) return;
  const auto lists = take_lists(*compiled_);
  Context context{arena};
  context.lists = lists.data();
  context.batch = &in;
  const RowSet rows = selected_rows(in);
  Buffer<std::uint8_t> truth(in.physical_rows());
  fill_truth(context, *compiled_->root, rows, truth.data());
  kept.resize(rows.count);
  std::uint32_t count = 0;
  bool failures = false;
  for_rows(rows, [&](std::uint32_t r) {
    kept[count] = r;
    count += truth[r] == kTrue;
    failures |= truth[r] == kFailed;
  });
  kept.resize(count);
  if (!failures) return;
  for_rows(rows, [&](std::uint32_t r) {
    if (truth[r] == kFailed) failed.push_back({r, reason_of(context, *compiled_->root, r)});
  });
}

std::optional<Expression> Expression::parse(const ExprText& text, Diagnostics& problems) {
  return parse_part(text.text, text.where, 0, problems);
}

std::optional<Expression> Expression::parse_part(std::string text, const ConfigNode& where,
                                                 std::size_t base, Diagnostics& problems) {
  auto parsed = std::make_shared<ParsedExpression>();
  parsed->text = std::move(text);
  parsed->where = where;
  parsed->base = static_cast<std::uint32_t>(base);
  SyntaxError error;
  if (!parse_text(parsed->text, *parsed, error)) {
    problems.error("bad-expression", parsed->place(error.offset, error.length),
                   std::move(error.message), std::move(error.hint));
    return std::nullopt;
  }
  Expression out;
  out.parsed_ = std::move(parsed);
  return out;
}

void Expression::fields(std::set<std::string>& into) const { collect_fields(*parsed_, into); }

const std::string& Expression::text() const { return parsed_->text; }

std::optional<Program> Expression::bind(const Schema& in, Diagnostics& problems) const {
  auto compiled = bind_tree(parsed_, in, problems);
  if (!compiled) return std::nullopt;
  return Program(std::move(compiled));
}

}  // namespace streamd::expr
