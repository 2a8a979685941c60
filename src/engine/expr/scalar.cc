// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/scalar.h"

#include "engine/expr/json_reader.h"
#include "engine/expr/time_text.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace streamd::expr {
namespace {

__extension__ using Int128 = __int128;

Value overflow(Op op, std::string_view type) {
  if (type == "uint") return Value::error("overflow of uint");
  if (type == "duration") return Value::error("overflow of duration");
  if (type == "timestamp") return Value::error("timestamp is out of range");
  return op == Op::negate ? Value::error("overflow of int in -") : Value::error("overflow of int");
}

Value int_arithmetic(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  switch (op) {
    case Op::add:
      return __builtin_add_overflow(a, b, &out) ? overflow(op, "int") : Value::int64(out);
    case Op::sub:
      return __builtin_sub_overflow(a, b, &out) ? overflow(op, "int") : Value::int64(out);
    case Op::mul:
      return __builtin_mul_overflow(a, b, &out) ? overflow(op, "int") : Value::int64(out);
    default: break;
  }
  if (b == 0) return Value::error(op == Op::div ? "division by zero" : "modulus by zero");
  if (a == std::numeric_limits<std::int64_t>::min() && b == -1) return overflow(op, "int");
  return Value::int64(op == Op::div ? a / b : a % b);
}

Value uint_arithmetic(Op op, std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  switch (op) {
    case Op::add:
      return __builtin_add_overflow(a, b, &out) ? overflow(op, "uint") : Value::uint64(out);
    case Op::sub:
      return __builtin_sub_overflow(a, b, &out) ? overflow(op, "uint") : Value::uint64(out);
    case Op::mul:
      return __builtin_mul_overflow(a, b, &out) ? overflow(op, "uint") : Value::uint64(out);
    default: break;
  }
  if (b == 0) return Value::error(op == Op::div ? "division by zero" : "modulus by zero");
  return Value::uint64(op == Op::div ? a / b : a % b);
}

Value double_arithmetic(Op op, double a, double b) {
  switch (op) {
    case Op::add: return Value::float64(a + b);
    case Op::sub: return Value::float64(a - b);
    case Op::mul: return Value::float64(a * b);
    default: return Value::float64(a / b);
  }
}

Int128 nanos_of(const Value& timestamp) {
  return static_cast<Int128>(timestamp.as_time().micros) * 1000 + timestamp.size();
}

Value shifted(const Value& timestamp, Int128 nanos) {
  const Int128 at = nanos_of(timestamp) + nanos;
  Int128 micros = at / 1000;
  Int128 rest = at % 1000;
  if (rest < 0) {
    rest += 1000;
    --micros;
  }
  if (micros < kMinTimestamp.micros || micros > kMaxTimestamp.micros)
    return overflow(Op::add, "timestamp");
  return Value::timestamp({static_cast<std::int64_t>(micros)}, static_cast<std::uint32_t>(rest));
}

Value time_arithmetic(Context& context, Op op, const Value& a, const Value& b) {
  const bool plus = op == Op::add, minus = op == Op::sub;
  const Kind x = a.kind(), y = b.kind();
  if (x == Kind::duration && y == Kind::duration && (plus || minus)) {
    const Value sum = int_arithmetic(op, a.as_duration_nanos(), b.as_duration_nanos());
    return sum.is(Kind::error) ? overflow(op, "duration") : Value::duration(sum.as_int());
  }
  if (x == Kind::timestamp && y == Kind::duration && (plus || minus))
    return shifted(a, plus ? Int128{b.as_duration_nanos()} : -Int128{b.as_duration_nanos()});
  if (x == Kind::duration && y == Kind::timestamp && plus) return shifted(b, a.as_duration_nanos());
  if (x == Kind::timestamp && y == Kind::timestamp && minus) {
    const Int128 between = nanos_of(a) - nanos_of(b);
    if (between > std::numeric_limits<std::int64_t>::max() ||
        between < std::numeric_limits<std::int64_t>::min())
      return overflow(op, "duration");
    return Value::duration(static_cast<std::int64_t>(between));
  }
  return no_overload(context, op, a, b);
}

Value joined_texts(Context& context, const Value& a, const Value& b) {
  const std::size_t bytes = std::size_t{a.size()} + b.size();
  if (!context.spend(bytes / 16 + 1)) return too_costly();
  char* at = context.arena.allocate(bytes);
  if (a.size() > 0) std::memcpy(at, a.text().data(), a.size());
  if (b.size() > 0) std::memcpy(at + a.size(), b.text().data(), b.size());
  return a.is(Kind::string) ? Value::string({at, bytes}) : Value::bytes({at, bytes});
}

Value joined_lists(Context& context, const Value& a, const Value& b) {
  const std::uint32_t count = a.size() + b.size();
  if (!context.spend(std::uint64_t{count} + 1)) return too_costly();
  Value* items = context.arena.values(count);
  if (a.size() > 0) std::memcpy(items, a.items(), a.size() * sizeof(Value));
  if (b.size() > 0) std::memcpy(items + a.size(), b.items(), b.size() * sizeof(Value));
  return Value::list(items, count);
}

// Index of the entry with this key, from the end, or -1. -2: out of budget.
std::int64_t find_key(Context& context, const Value& map, const Value& key) {
  if (!context.spend(map.size() / 8 + 1)) return -2;
  for (std::int64_t i = map.size(); i-- > 0;)
    if (equal(context, map.items()[2 * i], key)) return i;
  return context.budget == 0 ? -2 : -1;
}

bool possible_key(Kind k) { return numeric(k) || k == Kind::string || k == Kind::boolean; }

}  // namespace

Value failure(Context& context, std::string_view text) {
  return Value::error(context.arena.copy(text));
}

Value too_costly() { return Value::error("the expression costs too much on this record"); }

Value no_overload(Context& context, Op op, const Value& a, const Value& b) {
  std::string text = "no matching overload: ";
  text += kind_name(a.kind());
  text += ' ';
  text += op_text(op);
  text += ' ';
  text += kind_name(b.kind());
  const bool text_and_number =
      (a.is(Kind::string) && numeric(b.kind())) || (b.is(Kind::string) && numeric(a.kind()));
  if (text_and_number) text += "; convert the field first";
  return failure(context, text);
}

Value no_overload(Context& context, std::string_view function, const Value* args, std::size_t n) {
  std::string text = "no matching overload: ";
  text += function;
  text += '(';
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) text += ", ";
    text += kind_name(args[i].kind());
  }
  text += ')';
  return failure(context, text);
}

Value opened(Context& context, const Value& value) {
  if (!value.is(Kind::json)) return value;
  if (!context.spend(value.size() / 16 + 1)) return too_costly();
  return read_json(value.text(), context.arena);
}

Value arithmetic(Context& context, Op op, const Value& a, const Value& b) {
  const Kind x = a.kind(), y = b.kind();
  if (x == Kind::timestamp || x == Kind::duration) return time_arithmetic(context, op, a, b);
  if (x == Kind::json || y == Kind::json) {
    const Value p = opened(context, a), q = opened(context, b);
    if (p.is(Kind::error)) return p;
    return q.is(Kind::error) ? q : arithmetic(context, op, p, q);
  }
  if (x != y) return no_overload(context, op, a, b);
  switch (x) {
    case Kind::int64: return int_arithmetic(op, a.as_int(), b.as_int());
    case Kind::uint64: return uint_arithmetic(op, a.as_uint(), b.as_uint());
    case Kind::float64:
      if (op == Op::mod) break;
      return double_arithmetic(op, a.as_double(), b.as_double());
    case Kind::string:
    case Kind::bytes:
      if (op != Op::add) break;
      return joined_texts(context, a, b);
    case Kind::list:
      if (op != Op::add) break;
      return joined_lists(context, a, b);
    default: break;
  }
  return no_overload(context, op, a, b);
}

Value negated(Context& context, const Value& a) {
  if (a.is(Kind::float64)) return Value::float64(-a.as_double());
  if (a.is(Kind::int64)) {
    if (a.as_int() == std::numeric_limits<std::int64_t>::min()) return overflow(Op::negate, "int");
    return Value::int64(-a.as_int());
  }
  return no_overload(context, "-", &a, 1);
}

Value contained(Context& context, const Value& element, const Value& container) {
  const Value c = opened(context, container);
  if (c.is(Kind::error)) return c;
  if (c.is(Kind::list)) {
    for (std::uint32_t i = 0; i < c.size(); ++i) {
      if (!context.spend(1)) return too_costly();
      if (equal(context, element, c.items()[i])) return Value::boolean(true);
    }
    return context.budget == 0 ? too_costly() : Value::boolean(false);
  }
  if (!c.is(Kind::map)) return no_overload(context, Op::in, element, container);
  const std::int64_t at = find_key(context, c, element);
  return at == -2 ? too_costly() : Value::boolean(at >= 0);
}

Value indexed(Context& context, const Value& container, const Value& key) {
  const Value c = opened(context, container);
  if (c.is(Kind::error)) return c;
  if (c.is(Kind::map)) {
    if (!possible_key(key.kind())) return no_overload(context, "[]", &key, 1);
    const std::int64_t at = find_key(context, c, key);
    if (at == -2) return too_costly();
    if (at >= 0) return c.items()[2 * at + 1];
    return key.is(Kind::string)
               ? failure(context, "no such key \"" + std::string(key.text()) + "\"")
               : Value::error("no such key");
  }
  if (!c.is(Kind::list)) {
    const Value both[] = {container, key};
    return no_overload(context, "[]", both, 2);
  }
  std::int64_t at = -1;
  if (key.is(Kind::int64)) {
    at = key.as_int();
  } else if (key.is(Kind::uint64)) {
    at = key.as_uint() < c.size() ? key.as_int() : -1;
  } else if (key.is(Kind::float64)) {
    const double d = key.as_double();
    if (d >= 0 && d < c.size() && d == std::floor(d)) at = static_cast<std::int64_t>(d);
  } else {
    return no_overload(context, "[]", &key, 1);
  }
  if (at < 0 || at >= std::int64_t{c.size()})
    return failure(context, "index out of bounds: the list has " + std::to_string(c.size()) +
                                (c.size() == 1 ? " element" : " elements"));
  return c.items()[at];
}

Value selected(Context& context, const Value& container, std::string_view name) {
  const Value c = opened(context, container);
  if (c.is(Kind::error)) return c;
  if (c.is(Kind::map)) {
    const std::int64_t at = find_key(context, c, Value::string(name));
    if (at == -2) return too_costly();
    if (at >= 0) return c.items()[2 * at + 1];
  }
  return failure(context, "no such field \"" + std::string(name) + "\"");
}

Value has_key(Context& context, const Value& container, std::string_view name) {
  const Value c = opened(context, container);
  if (c.is(Kind::error)) return c;
  if (!c.is(Kind::map))
    return failure(context,
                   "has(." + std::string(name) + ") of a " + std::string(kind_name(c.kind())));
  const std::int64_t at = find_key(context, c, Value::string(name));
  return at == -2 ? too_costly() : Value::boolean(at >= 0);
}

Value make_map(Context& context, const Value* pairs, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!possible_key(pairs[2 * i].kind()) || pairs[2 * i].is(Kind::float64))
      return failure(context, "a map cannot have a key of type " +
                                  std::string(kind_name(pairs[2 * i].kind())));
    for (std::uint32_t j = 0; j < i; ++j) {
      if (!context.spend(1)) return too_costly();
      if (equal(context, pairs[2 * i], pairs[2 * j])) return Value::error("repeated key in a map");
    }
  }
  Value* out = context.arena.values(std::size_t{count} * 2);
  if (count > 0) std::memcpy(out, pairs, std::size_t{count} * 2 * sizeof(Value));
  return Value::map(out, count);
}

}  // namespace streamd::expr
