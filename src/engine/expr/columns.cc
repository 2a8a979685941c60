// SPDX-License-Identifier: Apache-2.0
// Values, a column at a time. Loops take the common kinds themselves; everything else goes to the
// scalar semantics of scalar.h, so that a column and a single record can't disagree.
#include "engine/expr/column_kit.h"
#include "engine/expr/functions.h"
#include "engine/expr/scalar.h"

namespace streamd::expr {
namespace {

Value slow_pair(Context& context, const Node& node, const Value& a, const Value& b) {
  if (a.is(Kind::error)) return a;
  if (b.is(Kind::error)) return b;
  context.budget = kMaxCost;
  return arithmetic(context, node.op, a, b);
}

template <Op op>
void arithmetic_column(Context& context, const Node& node, RowSet rows, Value* out) {
  const Operand left(context, *node.kids[0], rows), right(context, *node.kids[1], rows);
  for_rows(rows, [&](std::uint32_t r) {
    const Value &a = left.raw(r), &b = right.raw(r);
    if (a.is(Kind::int64) && b.is(Kind::int64)) {
      std::int64_t result = 0;
      bool good = false;
      if constexpr (op == Op::add) good = !__builtin_add_overflow(a.as_int(), b.as_int(), &result);
      if constexpr (op == Op::sub) good = !__builtin_sub_overflow(a.as_int(), b.as_int(), &result);
      if constexpr (op == Op::mul) good = !__builtin_mul_overflow(a.as_int(), b.as_int(), &result);
      if constexpr (op == Op::div || op == Op::mod) {
        good = b.as_int() > 0;
        if (good) result = op == Op::div ? a.as_int() / b.as_int() : a.as_int() % b.as_int();
      }
      if (good) {
        out[r] = Value::int64(result);
        return;
      }
    } else if (op != Op::mod && a.is(Kind::float64) && b.is(Kind::float64)) {
      const double x = a.as_double(), y = b.as_double();
      if constexpr (op == Op::add) out[r] = Value::float64(x + y);
      if constexpr (op == Op::sub) out[r] = Value::float64(x - y);
      if constexpr (op == Op::mul) out[r] = Value::float64(x * y);
      if constexpr (op == Op::div) out[r] = Value::float64(x / y);
      return;
    }
    out[r] = slow_pair(context, node, left.settled(r), right.settled(r));
  });
}

// Any operation that applies to settled arguments.
void apply_column(Context& context, const Node& node, RowSet rows, Value* out) {
  std::vector<std::unique_ptr<Operand>> operands;
  operands.reserve(node.kids.size());
  for (const auto& kid : node.kids)
    operands.push_back(std::make_unique<Operand>(context, *kid, rows));
  Buffer<Value> args(operands.size());
  for_rows(rows, [&](std::uint32_t r) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      args[i] = operands[i]->settled(r);
      if (args[i].is(Kind::error)) {
        out[r] = args[i];
        return;
      }
    }
    context.budget = kMaxCost;
    out[r] = apply(context, node, args.data(), operands.size());
  });
}

void ternary_column(Context& context, const Node& node, RowSet rows, Value* out) {
  const std::size_t physical = context.batch->physical_rows();
  Buffer<std::uint8_t> truth(physical);
  Buffer<std::uint32_t> yes(physical), no(physical);
  std::uint32_t yes_count = 0, no_count = 0;
  fill_truth(context, *node.kids[0], rows, truth.data());
  for_rows(rows, [&](std::uint32_t r) {
    if (truth[r] == kTrue) {
      yes[yes_count++] = r;
    } else if (truth[r] == kFalse) {
      no[no_count++] = r;
    } else {
      context.row = r;
      context.budget = kMaxCost;
      out[r] = interpret(context, node);
    }
  });
  if (yes_count > 0) fill_values(context, *node.kids[1], {yes.data(), yes_count}, out);
  if (no_count > 0) fill_values(context, *node.kids[2], {no.data(), no_count}, out);
}

void truth_column(Context& context, const Node& node, RowSet rows, Value* out) {
  Buffer<std::uint8_t> truth(context.batch->physical_rows());
  fill_truth(context, node, rows, truth.data());
  for_rows(rows, [&](std::uint32_t r) {
    if (truth[r] != kFailed) {
      out[r] = Value::boolean(truth[r] == kTrue);
      return;
    }
    context.row = r;
    context.budget = kMaxCost;
    out[r] = interpret(context, node);
  });
}

void record_column(Context& context, const Node& node, RowSet rows, Value* out) {
  for_rows(rows, [&](std::uint32_t r) {
    context.row = r;
    context.budget = kMaxCost;
    out[r] = interpret(context, node);
  });
}

}  // namespace

void fill_values(Context& context, const Node& node, RowSet rows, Value* out) {
  switch (node.op) {
    case Op::constant:
    case Op::field: {
      const Operand source(context, node, rows);
      for_rows(rows, [&](std::uint32_t r) { out[r] = source.settled(r); });
      return;
    }
    case Op::add: return arithmetic_column<Op::add>(context, node, rows, out);
    case Op::sub: return arithmetic_column<Op::sub>(context, node, rows, out);
    case Op::mul: return arithmetic_column<Op::mul>(context, node, rows, out);
    case Op::div: return arithmetic_column<Op::div>(context, node, rows, out);
    case Op::mod: return arithmetic_column<Op::mod>(context, node, rows, out);
    case Op::ternary: return ternary_column(context, node, rows, out);
    case Op::and_:
    case Op::or_:
    case Op::not_:
    case Op::in:
    case Op::in_list:
    case Op::has:
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge: return truth_column(context, node, rows, out);
    case Op::variable:
    case Op::ident:
    case Op::all:
    case Op::exists:
    case Op::exists_one:
    case Op::map_list:
    case Op::filter: return record_column(context, node, rows, out);
    case Op::select:
    case Op::index:
    case Op::call:
    case Op::list:
    case Op::map:
    case Op::negate: return apply_column(context, node, rows, out);
  }
}

}  // namespace streamd::expr
