// SPDX-License-Identifier: Apache-2.0
#include "operators/window/value_order.h"

#include "engine/core/key.h"

#include <cmath>
#include <compare>
#include <cstring>

namespace streamd::window {
namespace {

int rank(Kind kind) {
  switch (kind) {
    case Kind::boolean: return 1;
    case Kind::int64:
    case Kind::uint64:
    case Kind::float64: return 2;
    case Kind::string: return 3;
    case Kind::bytes: return 4;
    case Kind::timestamp: return 5;
    case Kind::duration: return 6;
    case Kind::ip: return 7;
    case Kind::cidr: return 8;
    default: return 9;
  }
}

template <class T>
int three_way(T a, T b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// Exact: a double is compared with an integer without rounding the integer.
int compare_int_double(std::int64_t i, double d) {
  if (d >= 0x1p63) return -1;
  if (d < -0x1p63) return 1;
  const double whole = std::trunc(d);
  const int by_whole = three_way(i, static_cast<std::int64_t>(whole));
  return by_whole != 0 ? by_whole : three_way(whole, d);
}
int compare_uint_double(std::uint64_t u, double d) {
  if (d >= 0x1p64) return -1;
  if (d < 0) return 1;
  const double whole = std::trunc(d);
  const int by_whole = three_way(u, static_cast<std::uint64_t>(whole));
  return by_whole != 0 ? by_whole : three_way(whole, d);
}

int compare_numbers(const Value& a, const Value& b) {
  if (a.is(Kind::float64) && b.is(Kind::float64)) {
    const bool a_nan = std::isnan(a.as_double());
    const bool b_nan = std::isnan(b.as_double());
    if (a_nan || b_nan) return three_way<int>(a_nan, b_nan);
    return three_way(a.as_double(), b.as_double());
  }
  if (b.is(Kind::float64)) {
    if (std::isnan(b.as_double())) return -1;
    return a.is(Kind::int64) ? compare_int_double(a.as_int(), b.as_double())
                             : compare_uint_double(a.as_uint(), b.as_double());
  }
  if (a.is(Kind::float64)) return -compare_numbers(b, a);
  if (a.kind() == b.kind())
    return a.is(Kind::int64) ? three_way(a.as_int(), b.as_int())
                             : three_way(a.as_uint(), b.as_uint());
  if (a.is(Kind::uint64)) return -compare_numbers(b, a);
  return a.as_int() < 0 ? -1 : three_way(static_cast<std::uint64_t>(a.as_int()), b.as_uint());
}

template <class T>
bool read(std::string_view in, T& into) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&into, in.data(), sizeof(T));
  return true;
}

}  // namespace

Value decode_value(std::string_view encoded) {
  if (encoded.empty()) return Value::missing();
  const auto kind = static_cast<Kind>(encoded.front());
  const std::string_view rest = encoded.substr(1);
  std::int64_t i = 0;
  double d = 0;
  std::uint32_t n = 0;
  switch (kind) {
    case Kind::null: return Value::null();
    case Kind::boolean: return rest.empty() ? Value::missing() : Value::boolean(rest[0] != 0);
    case Kind::int64: return read(rest, i) ? Value::int64(i) : Value::missing();
    case Kind::uint64:
      return read(rest, i) ? Value::uint64(static_cast<std::uint64_t>(i)) : Value::missing();
    case Kind::duration: return read(rest, i) ? Value::duration(i) : Value::missing();
    case Kind::float64: return read(rest, d) ? Value::float64(d) : Value::missing();
    case Kind::timestamp:
      if (!read(rest, i) || rest.size() < 12) return Value::missing();
      read(rest.substr(8), n);
      return Value::timestamp({i}, n);
    case Kind::string:
    case Kind::json:
    case Kind::bytes:
    case Kind::ip:
    case Kind::cidr: break;
    default: return Value::missing();
  }
  if (!read(rest, n) || rest.size() - 4 < n) return Value::missing();
  const std::string_view text = rest.substr(4, n);
  switch (kind) {
    case Kind::string: return Value::string(text);
    case Kind::json: return Value::json(text);
    case Kind::bytes: return Value::bytes(text);
    case Kind::ip: return Value::ip(text);
    default: return Value::cidr(text);
  }
}

bool is_one_value(std::string_view encoded) {
  return count_key(encoded) == 1 && decode_value(encoded).kind() != Kind::missing;
}

int compare_encoded(std::string_view a, std::string_view b) {
  const Value x = decode_value(a);
  const Value y = decode_value(b);
  if (const int by_rank = three_way(rank(x.kind()), rank(y.kind()))) return by_rank;
  int order = 0;
  switch (x.kind()) {
    case Kind::boolean: order = three_way<int>(x.as_bool(), y.as_bool()); break;
    case Kind::int64:
    case Kind::uint64:
    case Kind::float64: order = compare_numbers(x, y); break;
    case Kind::timestamp:
      order = three_way(x.as_time().micros, y.as_time().micros);
      if (order == 0) order = three_way(x.size(), y.size());
      break;
    case Kind::duration: order = three_way(x.as_int(), y.as_int()); break;
    case Kind::string:
    case Kind::bytes:
    case Kind::ip:
    case Kind::cidr:
    case Kind::json:
      order = x.kind() == y.kind() ? three_way(x.text().compare(y.text()), 0) : 0;
      break;
    default: break;
  }
  return order != 0 ? order : three_way(static_cast<int>(x.kind()), static_cast<int>(y.kind()));
}

}  // namespace streamd::window
