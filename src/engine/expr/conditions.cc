// SPDX-License-Identifier: Apache-2.0
// Truth, a column at a time: one byte a row. Reasons of failures are not made here; whoever wants
// one interprets that row.
#include "engine/expr/column_kit.h"
#include "engine/expr/constant_set.h"
#include "engine/expr/functions.h"
#include "engine/expr/scalar.h"

#include <re2/re2.h>

#include <cstring>

namespace streamd::expr {
namespace {

std::uint8_t truth_of(bool b) { return static_cast<std::uint8_t>(1 + b); }

template <Op op, class T>
inline bool holds(const T& a, const T& b) {
  if constexpr (op == Op::eq) return a == b;
  if constexpr (op == Op::ne) return a != b;
  if constexpr (op == Op::lt) return a < b;
  if constexpr (op == Op::le) return a <= b;
  if constexpr (op == Op::gt) return a > b;
  if constexpr (op == Op::ge) return a >= b;
}

std::uint8_t slow_compare(Context& context, Op op, const Value& a, const Value& b) {
  if (a.is(Kind::error) || b.is(Kind::error)) return kFailed;
  context.budget = kMaxCost;
  return compare_truth(context, op, a, b);
}

// `accepts` is the kind of the constant; other kinds take the general way.
template <Op op, Kind accepts, class Get>
void compare_constant(Context& context, const Operand& left, const Value& k, RowSet rows,
                      std::uint8_t* out, Get get) {
  const auto wanted = get(k);
  for_rows(rows, [&](std::uint32_t r) {
    const Value& a = left.raw(r);
    out[r] = a.is(accepts) ? truth_of(holds<op>(get(a), wanted))
                           : slow_compare(context, op, left.settled(r), k);
  });
}

// == and != of null. Texts and nulls are told by their kind; others may have to be opened.
template <Op op>
void compare_null(Context& context, const Operand& left, const Value& k, RowSet rows,
                  std::uint8_t* out) {
  for_rows(rows, [&](std::uint32_t r) {
    const Value& a = left.raw(r);
    out[r] = a.is(Kind::string) || a.is(Kind::null) ? truth_of(a.is(Kind::null) == (op == Op::eq))
                                                    : slow_compare(context, op, left.settled(r), k);
  });
}

template <Op op>
void compare_column(Context& context, const Node& node, RowSet rows, std::uint8_t* out) {
  const Operand left(context, *node.kids[0], rows), right(context, *node.kids[1], rows);
  if (right.constant()) {
    const Value& k = right.raw(0);
    switch (k.kind()) {
      case Kind::int64:
        return compare_constant<op, Kind::int64>(context, left, k, rows, out,
                                                 [](const Value& v) { return v.as_int(); });
      case Kind::float64:
        return compare_constant<op, Kind::float64>(context, left, k, rows, out,
                                                   [](const Value& v) { return v.as_double(); });
      case Kind::string:
        return compare_constant<op, Kind::string>(context, left, k, rows, out,
                                                  [](const Value& v) { return v.text(); });
      case Kind::null:
        if constexpr (op == Op::eq || op == Op::ne)
          return compare_null<op>(context, left, k, rows, out);
        break;
      default: break;
    }
  }
  for_rows(rows, [&](std::uint32_t r) {
    const Value &a = left.raw(r), &b = right.raw(r);
    if (a.is(Kind::int64) && b.is(Kind::int64))
      out[r] = truth_of(holds<op>(a.as_int(), b.as_int()));
    else
      out[r] = slow_compare(context, op, left.settled(r), right.settled(r));
  });
}

// && and || over bits: kFalse of either side decides an &&, kTrue of either side an ||.
inline std::uint8_t combined(bool both, std::uint8_t a, std::uint8_t b) {
  const auto any = static_cast<unsigned>(a | b), all = static_cast<unsigned>(a & b);
  return static_cast<std::uint8_t>(both ? (any & kFalse) | (all & kTrue)
                                        : (any & kTrue) | (all & kFalse));
}

void logic_column(Context& context, const Node& node, RowSet rows, std::uint8_t* out) {
  const bool both = node.op == Op::and_;
  const std::uint8_t decided = both ? kFalse : kTrue;
  const std::size_t physical = context.batch->physical_rows();
  fill_truth(context, *node.kids[0], rows, out);
  Buffer<std::uint8_t> next(physical);
  Buffer<std::uint32_t> open(physical);
  for (std::size_t k = 1; k < node.kids.size(); ++k) {
    RowSet left = rows;
    if (!node.kids[k]->cheap) {
      std::uint32_t count = 0;
      for_rows(rows, [&](std::uint32_t r) {
        open[count] = r;
        count += out[r] != decided;
      });
      if (count == 0) return;
      if (count < rows.count) left = {open.data(), count};
    }
    fill_truth(context, *node.kids[k], left, next.data());
    const std::uint8_t* other = next.data();
    if (both)
      for_rows(left, [&](std::uint32_t r) { out[r] = combined(true, out[r], other[r]); });
    else
      for_rows(left, [&](std::uint32_t r) { out[r] = combined(false, out[r], other[r]); });
  }
}

void has_column(Context& context, const Node& node, RowSet rows, std::uint8_t* out) {
  const Node& what = *node.kids[0];
  if (what.op == Op::field) {
    const Value* column = context.batch->column(what.slot)->data();
    for_rows(rows, [&](std::uint32_t r) { out[r] = truth_of(!column[r].is(Kind::missing)); });
    return;
  }
  const Operand container(context, *what.kids[0], rows);
  for_rows(rows, [&](std::uint32_t r) {
    const Value& c = container.settled(r);
    context.budget = kMaxCost;
    const Value v = c.is(Kind::error) ? c : has_key(context, c, what.name);
    out[r] = v.is(Kind::error) ? kFailed : truth_of(v.as_bool());
  });
}

void set_column(Context& context, const Node& node, RowSet rows, std::uint8_t* out) {
  const Operand element(context, *node.kids[0], rows);
  const ConstantSet& set = *node.set;
  for_rows(rows, [&](std::uint32_t r) {
    const Value& v = element.raw(r);
    if (v.is(Kind::string)) {
      out[r] = truth_of(set.has_string(v.text()));
    } else if (v.is(Kind::missing) || v.is(Kind::error)) {
      out[r] = kFailed;
    } else {
      context.budget = kMaxCost;
      out[r] = truth_of(set.has(context, v));
    }
  });
}

// A member call on a text with a constant argument.
template <class Test>
void text_column(Context& context, const Node& node, RowSet rows, std::uint8_t* out, Test test) {
  const Operand text(context, *node.kids[0], rows);
  for_rows(rows, [&](std::uint32_t r) {
    const Value& v = text.raw(r);
    if (v.is(Kind::string)) {
      out[r] = truth_of(test(v.text()));
      return;
    }
    const Value args[] = {text.settled(r), node.kids[1]->constant};
    if (args[0].is(Kind::error)) {
      out[r] = kFailed;
      return;
    }
    context.budget = kMaxCost;
    const Value result = apply(context, node, args, 2);
    out[r] = result.is(Kind::boolean) ? truth_of(result.as_bool()) : kFailed;
  });
}

bool text_call(Context& context, const Node& node, RowSet rows, std::uint8_t* out) {
  if (node.kids.size() != 2 || node.kids[1]->op != Op::constant ||
      !node.kids[1]->constant.is(Kind::string))
    return false;
  const std::string_view needle = node.kids[1]->constant.text();
  const std::string_view name = node.function->name;
  if (node.pattern != nullptr) {
    const re2::RE2& pattern = *node.pattern;
    text_column(context, node, rows, out, [&](std::string_view t) {
      return re2::RE2::PartialMatch(re2::StringPiece(t.data(), t.size()), pattern);
    });
  } else if (name == "startsWith") {
    text_column(context, node, rows, out,
                [&](std::string_view t) { return t.starts_with(needle); });
  } else if (name == "endsWith") {
    text_column(context, node, rows, out, [&](std::string_view t) { return t.ends_with(needle); });
  } else if (name == "contains") {
    text_column(context, node, rows, out, [&](std::string_view t) {
      return needle.empty() || memmem(t.data(), t.size(), needle.data(), needle.size()) != nullptr;
    });
  } else {
    return false;
  }
  return true;
}

void value_truth(Context& context, const Node& node, RowSet rows, std::uint8_t* out) {
  const Operand value(context, node, rows);
  for_rows(rows, [&](std::uint32_t r) {
    const Value& v = value.raw(r);
    out[r] = v.is(Kind::boolean) ? truth_of(v.as_bool()) : kFailed;
  });
}

}  // namespace

void fill_truth(Context& context, const Node& node, RowSet rows, std::uint8_t* out) {
  switch (node.op) {
    case Op::eq: return compare_column<Op::eq>(context, node, rows, out);
    case Op::ne: return compare_column<Op::ne>(context, node, rows, out);
    case Op::lt: return compare_column<Op::lt>(context, node, rows, out);
    case Op::le: return compare_column<Op::le>(context, node, rows, out);
    case Op::gt: return compare_column<Op::gt>(context, node, rows, out);
    case Op::ge: return compare_column<Op::ge>(context, node, rows, out);
    case Op::and_:
    case Op::or_: return logic_column(context, node, rows, out);
    case Op::not_:
      fill_truth(context, *node.kids[0], rows, out);
      for_rows(rows, [&](std::uint32_t r) {
        out[r] = static_cast<std::uint8_t>((out[r] >> 1) | ((out[r] & 1) << 1));
      });
      return;
    case Op::has: return has_column(context, node, rows, out);
    case Op::in: {
      if (node.set != nullptr) return set_column(context, node, rows, out);
      const Operand element(context, *node.kids[0], rows), container(context, *node.kids[1], rows);
      for_rows(rows, [&](std::uint32_t r) {
        const Value &e = element.settled(r), &c = container.settled(r);
        out[r] = kFailed;
        if (e.is(Kind::error) || c.is(Kind::error)) return;
        context.budget = kMaxCost;
        const Value v = contained(context, e, c);
        if (v.is(Kind::boolean)) out[r] = truth_of(v.as_bool());
      });
      return;
    }
    case Op::in_list: {
      const Operand element(context, *node.kids[0], rows);
      for_rows(rows, [&](std::uint32_t r) {
        const Value& v = element.raw(r);
        out[r] = v.is(Kind::missing) ? kFailed : list_truth(context, node, v);
      });
      return;
    }
    case Op::call:
      if (text_call(context, node, rows, out)) return;
      return value_truth(context, node, rows, out);
    default: return value_truth(context, node, rows, out);
  }
}

}  // namespace streamd::expr
