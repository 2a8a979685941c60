// SPDX-License-Identifier: Apache-2.0
// Equality and order.
#include "engine/expr/scalar.h"

#include <compare>
#include <cstring>

namespace streamd::expr {
namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

std::partial_ordering order_int_double(std::int64_t i, double d) {
  if (d != d) return std::partial_ordering::unordered;
  if (d < -kTwo63) return std::partial_ordering::greater;
  if (d > kTwo63) return std::partial_ordering::less;
  return static_cast<double>(i) <=> d;
}
std::partial_ordering order_uint_double(std::uint64_t u, double d) {
  if (d != d) return std::partial_ordering::unordered;
  if (d < 0) return std::partial_ordering::greater;
  if (d > kTwo64) return std::partial_ordering::less;
  return static_cast<double>(u) <=> d;
}
std::partial_ordering order_int_uint(std::int64_t i, std::uint64_t u) {
  if (i < 0) return std::partial_ordering::less;
  return static_cast<std::uint64_t>(i) <=> u;
}
std::partial_ordering reversed(std::partial_ordering o) { return 0 <=> o; }

std::partial_ordering order_numbers(const Value& a, const Value& b) {
  switch (a.kind()) {
    case Kind::int64:
      if (b.is(Kind::int64)) return a.as_int() <=> b.as_int();
      if (b.is(Kind::uint64)) return order_int_uint(a.as_int(), b.as_uint());
      return order_int_double(a.as_int(), b.as_double());
    case Kind::uint64:
      if (b.is(Kind::int64)) return reversed(order_int_uint(b.as_int(), a.as_uint()));
      if (b.is(Kind::uint64)) return a.as_uint() <=> b.as_uint();
      return order_uint_double(a.as_uint(), b.as_double());
    default:
      if (b.is(Kind::int64)) return reversed(order_int_double(b.as_int(), a.as_double()));
      if (b.is(Kind::uint64)) return reversed(order_uint_double(b.as_uint(), a.as_double()));
      return a.as_double() <=> b.as_double();
  }
}

std::partial_ordering order_times(const Value& a, const Value& b) {
  if (a.as_time() != b.as_time()) return a.as_time() <=> b.as_time();
  return a.size() <=> b.size();
}

bool lists_equal(Context& context, const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (std::uint32_t i = 0; i < a.size(); ++i)
    if (!equal(context, a.items()[i], b.items()[i])) return false;
  return true;
}

bool maps_equal(Context& context, const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    bool found = false;
    for (std::uint32_t j = b.size(); j-- > 0 && !found;) {
      if (!context.spend(1)) return false;
      if (!equal(context, a.items()[2 * i], b.items()[2 * j])) continue;
      if (!equal(context, a.items()[2 * i + 1], b.items()[2 * j + 1])) return false;
      found = true;
    }
    if (!found) return false;
  }
  return true;
}

bool holds(Op op, std::partial_ordering o) {
  switch (op) {
    case Op::lt: return o < 0;
    case Op::le: return o <= 0;
    case Op::gt: return o > 0;
    default: return o >= 0;
  }
}

std::uint8_t truth(bool b) { return b ? kTrue : kFalse; }

bool needs_opening(const Value& a, const Value& b) { return a.is(Kind::json) || b.is(Kind::json); }

}  // namespace

bool equal(Context& context, const Value& a, const Value& b) {
  if (numeric(a.kind()) && numeric(b.kind())) return order_numbers(a, b) == 0;
  if (needs_opening(a, b)) {
    const Value x = opened(context, a), y = opened(context, b);
    return !x.is(Kind::error) && !y.is(Kind::error) && equal(context, x, y);
  }
  if (a.kind() != b.kind() || !context.spend(1)) return false;
  switch (a.kind()) {
    case Kind::null: return true;
    case Kind::boolean:
    case Kind::duration: return a.as_int() == b.as_int();
    case Kind::timestamp: return order_times(a, b) == 0;
    case Kind::string:
    case Kind::bytes:
    case Kind::ip:
    case Kind::cidr: return a.text() == b.text();
    case Kind::list: return lists_equal(context, a, b);
    case Kind::map: return maps_equal(context, a, b);
    default: return false;
  }
}

std::uint8_t compare_truth(Context& context, Op op, const Value& a, const Value& b) {
  if (op == Op::eq || op == Op::ne) {
    if (needs_opening(a, b)) {
      if (opened(context, a).is(Kind::error) || opened(context, b).is(Kind::error)) return kFailed;
    }
    const bool same = equal(context, a, b);
    if (context.budget == 0) return kFailed;
    return truth(same == (op == Op::eq));
  }
  if (numeric(a.kind()) && numeric(b.kind())) return truth(holds(op, order_numbers(a, b)));
  if (a.kind() != b.kind()) return kFailed;
  switch (a.kind()) {
    case Kind::boolean:
    case Kind::duration: return truth(holds(op, a.as_int() <=> b.as_int()));
    case Kind::timestamp: return truth(holds(op, order_times(a, b)));
    case Kind::string:
    case Kind::bytes: return truth(holds(op, a.text() <=> b.text()));
    default: return kFailed;
  }
}

Value compared(Context& context, Op op, const Value& a, const Value& b) {
  const std::uint8_t t = compare_truth(context, op, a, b);
  if (t != kFailed) return Value::boolean(t == kTrue);
  if (context.budget == 0) return too_costly();
  if (op == Op::eq || op == Op::ne) {
    const Value x = opened(context, a);
    return x.is(Kind::error) ? x : opened(context, b);
  }
  return no_overload(context, op, a, b);
}

}  // namespace streamd::expr
