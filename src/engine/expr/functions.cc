// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/functions.h"

#include "engine/expr/convert.h"
#include "engine/expr/scalar.h"

#include <array>
#include <cmath>
#include <limits>

namespace streamd::expr {
namespace {

Value mismatch(const Call& c) {
  return no_overload(c.context, c.node.function->name, c.args, c.count);
}

std::int64_t code_points(std::string_view text) {
  std::int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

Value size(const Call& c) {
  const Value v = opened(c.context, c[0]);
  switch (v.kind()) {
    case Kind::string: return Value::int64(code_points(v.text()));
    case Kind::bytes:
    case Kind::list:
    case Kind::map: return Value::int64(v.size());
    case Kind::error: return v;
    default: return mismatch(c);
  }
}

Value same(const Call& c) { return c[0]; }

// The greatest (or least) of the arguments, or of the elements of one list.
template <Op Better>
Value extreme(const Call& c) {
  const Value* items = c.args;
  std::size_t count = c.count;
  Value list;
  if (count == 1) {
    list = opened(c.context, c[0]);
    if (list.is(Kind::list)) {
      items = list.items();
      count = list.size();
    }
  }
  if (count == 0) return Value::error("an empty list has no greatest or least element");
  const Value* best = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    if (!numeric(items[i].kind())) return mismatch(c);
    if (!c.context.spend(1)) return too_costly();
    if (best == nullptr || compare_truth(c.context, Better, items[i], *best) == kTrue)
      best = &items[i];
  }
  return *best;
}

Value abs_value(const Call& c) {
  if (c[0].is(Kind::uint64)) return c[0];
  if (c[0].is(Kind::float64)) return Value::float64(std::fabs(c[0].as_double()));
  if (!c[0].is(Kind::int64)) return mismatch(c);
  if (c[0].as_int() == std::numeric_limits<std::int64_t>::min())
    return Value::error("overflow of int in math.abs()");
  return Value::int64(c[0].as_int() < 0 ? -c[0].as_int() : c[0].as_int());
}

Value sign(const Call& c) {
  if (c[0].is(Kind::uint64)) return Value::uint64(c[0].as_uint() > 0 ? 1 : 0);
  if (c[0].is(Kind::int64)) return Value::int64((c[0].as_int() > 0) - (c[0].as_int() < 0));
  if (!c[0].is(Kind::float64)) return mismatch(c);
  const double d = c[0].as_double();
  return d != d ? c[0] : Value::float64((d > 0) - (d < 0));
}

// ceil, floor, round (halves away from zero), trunc: of whole numbers the number itself.
template <double (*Round)(double)>
Value rounded(const Call& c) {
  if (c[0].is(Kind::float64)) return Value::float64(Round(c[0].as_double()));
  return numeric(c[0].kind()) ? c[0] : mismatch(c);
}
double ceil_of(double d) { return std::ceil(d); }
double floor_of(double d) { return std::floor(d); }
double round_of(double d) { return std::round(d); }
double trunc_of(double d) { return std::trunc(d); }

template <bool (*Test)(double)>
Value tested(const Call& c) {
  return c[0].is(Kind::float64) ? Value::boolean(Test(c[0].as_double())) : mismatch(c);
}
bool is_nan(double d) { return std::isnan(d); }
bool is_inf(double d) { return std::isinf(d); }
bool is_finite(double d) { return std::isfinite(d); }

constexpr auto kGlobal = CallStyle::global;
constexpr auto kMember = CallStyle::member;
constexpr TypeSet kSized = set_of(Type::string, Type::bytes, Type::list, Type::map, Type::json);
constexpr TypeSet kNumbers = kNumber | kListLike;
constexpr TypeSet kToInt = kNumber | set_of(Type::string, Type::timestamp);
constexpr TypeSet kToString =
    kToInt | set_of(Type::boolean, Type::bytes, Type::duration, Type::ip, Type::cidr, Type::json);

constexpr std::array kTable = {
    Function{"size", kGlobal, 1, 1, Type::int64, {kSized}, size}.doc(
        "Of a text the code points, of a list or map the entries.", "size('héllo') == 5"),
    Function{"size", kMember, 1, 1, Type::int64, {kSized}, size}.doc(
        "Of a text the code points, of a list or map the entries.", "[1, 2, 3].size() == 3"),
    Function{"int", kGlobal, 1, 1, Type::int64, {kToInt}, to_int}.doc(
        "Whole number: of a double without its fraction, of a time its seconds since 1970. What is "
        "too large, or a text that is no number, fails.",
        "int('42') == 42 && int(3.9) == 3"),
    Function{"uint", kGlobal, 1, 1, Type::uint64, {kNumber | kText}, to_uint}.doc(
        "Whole number without a sign; a negative one fails.", "uint(7) == 7u"),
    Function{"double", kGlobal, 1, 1, Type::float64, {kNumber | kText}, to_double}.doc(
        "Number with a fraction.", "double('1.5') == 1.5"),
    Function{"string", kGlobal, 1, 1, Type::string, {kToString}, to_string}.doc(
        "As text, as a template prints it.", "string(1.5) + string(true) == '1.5true'"),
    Function{"bytes", kGlobal, 1, 1, Type::bytes, {set_of(Type::string, Type::bytes)}, to_bytes}
        .doc("The bytes of a text in UTF-8.", "bytes('abc') == b'abc'"),
    Function{"bool", kGlobal, 1, 1, Type::boolean, {set_of(Type::string, Type::boolean)}, to_bool}
        .doc("Exactly `1 t true TRUE True` give true and `0 f false FALSE False` give false; any "
             "other text "
             "fails.",
             "bool('true')"),
    Function{"timestamp",
             kGlobal,
             1,
             1,
             Type::timestamp,
             {set_of(Type::string, Type::int64, Type::timestamp)},
             to_timestamp}
        .doc("Of a text as RFC 3339 writes it, or of seconds since 1970.",
             "timestamp('1970-01-01T00:01:00Z') == timestamp(60)"),
    Function{"duration",
             kGlobal,
             1,
             1,
             Type::duration,
             {set_of(Type::string, Type::duration)},
             to_duration}
        .doc("Of a number with a unit, or several: `h`, `m`, `s`, `ms`, `us`, `ns`.",
             "duration('1h30m') == duration('90m')"),
    Function{"dyn", kGlobal, 1, 1, Type::any, {kAnyType}, same}.doc(
        "The value itself; its type is looked at when the record is there.", "dyn(1) == 1.0"),
    Function{"type", kGlobal, 1, 1, Type::string, {kAnyType}, type_of_value}.doc(
        "Type of the value, to compare with `int`, `string`, `list` and so on; those are fields "
        "everywhere else.",
        "type('a') == string"),
    Function{
        "math.greatest", kGlobal, 1, 32, Type::any, {kNumbers, kNumber, kNumber}, extreme<Op::gt>}
        .doc("The greatest of numbers, or of a list of them.", "math.greatest(1, 3, 2) == 3"),
    Function{"math.least", kGlobal, 1, 32, Type::any, {kNumbers, kNumber, kNumber}, extreme<Op::lt>}
        .doc("The least of numbers, or of a list of them.", "math.least([4, 2]) == 2"),
    Function{"math.abs", kGlobal, 1, 1, Type::any, {kNumber}, abs_value}.doc("Without its sign.",
                                                                             "math.abs(-3) == 3"),
    Function{"math.sign", kGlobal, 1, 1, Type::any, {kNumber}, sign}.doc("-1, 0 or 1.",
                                                                         "math.sign(-2.5) == -1.0"),
    Function{"math.ceil", kGlobal, 1, 1, Type::any, {kNumber}, rounded<ceil_of>}.doc(
        "The next whole number above.", "math.ceil(1.2) == 2.0"),
    Function{"math.floor", kGlobal, 1, 1, Type::any, {kNumber}, rounded<floor_of>}.doc(
        "The next whole number below.", "math.floor(-1.2) == -2.0"),
    Function{"math.round", kGlobal, 1, 1, Type::any, {kNumber}, rounded<round_of>}.doc(
        "The nearest whole number; halves go away from zero.", "math.round(-1.5) == -2.0"),
    Function{"math.trunc", kGlobal, 1, 1, Type::any, {kNumber}, rounded<trunc_of>}.doc(
        "Without its fraction.", "math.trunc(-1.7) == -1.0"),
    Function{"math.isNaN", kGlobal, 1, 1, Type::boolean, {kNumber}, tested<is_nan>}.doc(
        "Whether it is no number (0.0 / 0.0).", "math.isNaN(0.0 / 0.0)"),
    Function{"math.isInf", kGlobal, 1, 1, Type::boolean, {kNumber}, tested<is_inf>}.doc(
        "Whether it is infinite.", "math.isInf(1.0 / 0.0)"),
    Function{"math.isFinite", kGlobal, 1, 1, Type::boolean, {kNumber}, tested<is_finite>}.doc(
        "Whether it is neither infinite nor no number.", "math.isFinite(1.5)"),
};

}  // namespace

std::span<const FunctionGroup> function_groups() {
  static const std::array<FunctionGroup, 4> groups = {{{"Types and numbers", basic_functions()},
                                                       {"Texts", string_functions()},
                                                       {"Times", time_functions()},
                                                       {"Addresses", network_functions()}}};
  return groups;
}

std::span<const Function> basic_functions() { return kTable; }

const Function* find_function(std::string_view name, CallStyle style) {
  for (const FunctionGroup& group : function_groups())
    for (const Function& function : group.functions)
      if (function.name == name && function.style == style) return &function;
  return nullptr;
}

std::vector<std::string> function_names(CallStyle style) {
  std::vector<std::string> names;
  for (const FunctionGroup& group : function_groups())
    for (const Function& function : group.functions)
      if (function.style == style) names.emplace_back(function.name);
  return names;
}

}  // namespace streamd::expr
