// SPDX-License-Identifier: Apache-2.0
// A record at a time: comprehensions, folding of constants, and the reason of a failed row.
#include "engine/expr/constant_set.h"
#include "engine/expr/functions.h"
#include "engine/expr/scalar.h"

#include <array>
#include <string>

namespace streamd::expr {
namespace {

constexpr std::size_t kInlineArgs = 4;

Value not_a_bool(Context& context, const Value& v, std::string_view where) {
  if (v.is(Kind::error)) return v;
  return failure(context,
                 std::string(where) + " needs bool, got " + std::string(kind_name(v.kind())));
}

Value logic(Context& context, const Node& node) {
  const bool decisive = node.op == Op::or_;
  Value problem;
  for (const auto& kid : node.kids) {
    const Value v = interpret(context, *kid);
    if (!v.is(Kind::boolean)) {
      if (!problem.is(Kind::error)) problem = not_a_bool(context, v, op_text(node.op));
    } else if (v.as_bool() == decisive) {
      return v;
    }
  }
  return problem.is(Kind::error) ? problem : Value::boolean(!decisive);
}

Value field(const Context& context, const Node& node) {
  const Value& v = (*context.batch->column(node.slot))[context.row];
  return v.is(Kind::missing) ? node.constant : v;
}

Value has(Context& context, const Node& node) {
  const Node& what = *node.kids[0];
  if (what.op == Op::field)
    return Value::boolean(!(*context.batch->column(what.slot))[context.row].is(Kind::missing));
  const Value container = interpret(context, *what.kids[0]);
  return container.is(Kind::error) ? container : has_key(context, container, what.name);
}

// Arguments from left to right; the first error ends it and is the result.
template <class Use>
Value with_arguments(Context& context, const Node& node, Use use) {
  std::array<Value, kInlineArgs> small;
  Value* args = small.data();
  if (node.kids.size() > kInlineArgs) args = context.arena.values(node.kids.size());
  for (std::size_t i = 0; i < node.kids.size(); ++i) {
    args[i] = interpret(context, *node.kids[i]);
    if (args[i].is(Kind::error)) return args[i];
  }
  return use(args, node.kids.size());
}

Value list_literal(Context& context, const Node& node) {
  Value* items = context.arena.values(node.kids.size());
  for (std::size_t i = 0; i < node.kids.size(); ++i) {
    items[i] = interpret(context, *node.kids[i]);
    if (items[i].is(Kind::error)) return items[i];
  }
  return Value::list(items, static_cast<std::uint32_t>(node.kids.size()));
}

// Elements of a list, keys of a map.
struct Range {
  const Value* items = nullptr;
  std::uint32_t count = 0;
  std::uint32_t step = 1;
};

Value open_range(Context& context, const Node& node, Range& range) {
  Value v = interpret(context, *node.kids[0]);
  if (!v.is(Kind::error)) v = opened(context, v);
  if (v.is(Kind::list) || v.is(Kind::map)) {
    range = {v.items(), v.size(), v.is(Kind::map) ? 2u : 1u};
    return v;
  }
  return v.is(Kind::error)
             ? v
             : failure(context, std::string(op_text(node.op)) + "() needs a list or map, got " +
                                    std::string(kind_name(v.kind())));
}

Value quantifier(Context& context, const Node& node, Range range) {
  const bool decisive = node.op == Op::exists;
  Value problem;
  for (std::uint32_t i = 0; i < range.count; ++i) {
    if (!context.spend(1)) return too_costly();
    context.variable(node.slot) = range.items[i * range.step];
    const Value v = interpret(context, *node.kids[1]);
    if (!v.is(Kind::boolean)) {
      if (!problem.is(Kind::error)) problem = not_a_bool(context, v, op_text(node.op));
    } else if (v.as_bool() == decisive) {
      return v;
    }
  }
  return problem.is(Kind::error) ? problem : Value::boolean(!decisive);
}

Value exists_one(Context& context, const Node& node, Range range) {
  std::uint32_t hits = 0;
  for (std::uint32_t i = 0; i < range.count; ++i) {
    if (!context.spend(1)) return too_costly();
    context.variable(node.slot) = range.items[i * range.step];
    const Value v = interpret(context, *node.kids[1]);
    if (!v.is(Kind::boolean)) return not_a_bool(context, v, "exists_one");
    hits += v.as_bool();
  }
  return Value::boolean(hits == 1);
}

// map and filter.
Value collect(Context& context, const Node& node, Range range) {
  const bool filter = node.op == Op::filter;
  const Node* predicate = filter || node.kids.size() == 3 ? node.kids[1].get() : nullptr;
  const Node* transform = filter ? nullptr : node.kids.back().get();
  Value* out = context.arena.values(range.count);
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < range.count; ++i) {
    if (!context.spend(1)) return too_costly();
    context.variable(node.slot) = range.items[i * range.step];
    if (predicate != nullptr) {
      const Value v = interpret(context, *predicate);
      if (!v.is(Kind::boolean)) return not_a_bool(context, v, op_text(node.op));
      if (!v.as_bool()) continue;
    }
    const Value v =
        transform != nullptr ? interpret(context, *transform) : range.items[i * range.step];
    if (v.is(Kind::error)) return v;
    out[count++] = v;
  }
  return Value::list(out, count);
}

Value comprehension(Context& context, const Node& node) {
  Range range;
  const Value v = open_range(context, node, range);
  if (v.is(Kind::error)) return v;
  switch (node.op) {
    case Op::all:
    case Op::exists: return quantifier(context, node, range);
    case Op::exists_one: return exists_one(context, node, range);
    default: return collect(context, node, range);
  }
}

Value operate(Context& context, const Node& node, const Value* args, std::size_t count) {
  switch (node.op) {
    case Op::select: return selected(context, args[0], node.name);
    case Op::index: return indexed(context, args[0], args[1]);
    case Op::call: return node.function->kernel({context, node, args, count});
    case Op::negate: return negated(context, args[0]);
    case Op::not_:
      return args[0].is(Kind::boolean) ? Value::boolean(!args[0].as_bool())
                                       : not_a_bool(context, args[0], "!");
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::mod: return arithmetic(context, node.op, args[0], args[1]);
    case Op::map: return make_map(context, args, static_cast<std::uint32_t>(count / 2));
    default: return compared(context, node.op, args[0], args[1]);
  }
}

Value membership(Context& context, const Node& node) {
  if (node.set == nullptr)
    return with_arguments(context, node, [&](const Value* args, std::size_t) {
      return contained(context, args[0], args[1]);
    });
  const Value element = interpret(context, *node.kids[0]);
  if (element.is(Kind::error)) return element;
  return Value::boolean(node.set->has(context, element));
}

}  // namespace

Value interpret(Context& context, const Node& node) {
  if (!context.spend(1)) return too_costly();
  switch (node.op) {
    case Op::constant: return node.constant;
    case Op::field: return field(context, node);
    case Op::variable: return context.variables[node.slot];
    case Op::and_:
    case Op::or_: return logic(context, node);
    case Op::has: return has(context, node);
    case Op::list: return list_literal(context, node);
    case Op::in: return membership(context, node);
    case Op::in_list: {
      const Value element = interpret(context, *node.kids[0]);
      return element.is(Kind::error) ? element : in_lists(context, node, element);
    }
    case Op::ternary: {
      const Value c = interpret(context, *node.kids[0]);
      if (!c.is(Kind::boolean)) return not_a_bool(context, c, "?:");
      return interpret(context, *node.kids[c.as_bool() ? 1 : 2]);
    }
    case Op::all:
    case Op::exists:
    case Op::exists_one:
    case Op::map_list:
    case Op::filter: return comprehension(context, node);
    default:
      return with_arguments(context, node, [&](const Value* args, std::size_t count) {
        return operate(context, node, args, count);
      });
  }
}

Value apply(Context& context, const Node& node, const Value* args, std::size_t count) {
  if (node.op == Op::in) return contained(context, args[0], args[1]);
  if (node.op == Op::list) {
    Value* items = context.arena.values(count);
    for (std::size_t i = 0; i < count; ++i) items[i] = args[i];
    return Value::list(items, static_cast<std::uint32_t>(count));
  }
  return operate(context, node, args, count);
}

}  // namespace streamd::expr
