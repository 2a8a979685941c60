// SPDX-License-Identifier: Apache-2.0
#include "operators/conversion.h"

#include "engine/expr/network.h"
#include "engine/expr/template.h"

#include <charconv>
#include <cmath>
#include <string>

namespace streamd {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

std::optional<Value> int_from_text(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return Value::int64(value);
}

std::optional<Value> double_from_text(std::string_view text) {
  if (text.empty()) return std::nullopt;
  // from_chars also knows "inf" and "nan".
  const char first = text.front() == '-' && text.size() > 1 ? text[1] : text.front();
  if (!is_digit(first) && first != '.') return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return Value::float64(value);
}

}  // namespace

Type type_of(ConvertType type) {
  switch (type) {
    case ConvertType::int64: return Type::int64;
    case ConvertType::float64: return Type::float64;
    case ConvertType::boolean: return Type::boolean;
    case ConvertType::string: return Type::string;
    case ConvertType::timestamp: return Type::timestamp;
    case ConvertType::ip: return Type::ip;
  }
  return Type::any;
}

std::optional<Value> to_int(const Value& value) {
  switch (value.kind()) {
    case Kind::string: return int_from_text(value.text());
    case Kind::int64: return value;
    case Kind::boolean: return Value::int64(value.as_bool() ? 1 : 0);
    case Kind::uint64:
      if (value.as_uint() > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
      return Value::int64(static_cast<std::int64_t>(value.as_uint()));
    case Kind::float64: {
      const double d = value.as_double();
      if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0) || d != std::floor(d))
        return std::nullopt;
      return Value::int64(static_cast<std::int64_t>(d));
    }
    default: return std::nullopt;
  }
}

std::optional<Value> to_double(const Value& value) {
  switch (value.kind()) {
    case Kind::string: return double_from_text(value.text());
    case Kind::float64:
      if (!std::isfinite(value.as_double())) return std::nullopt;
      return value;
    case Kind::int64: return Value::float64(static_cast<double>(value.as_int()));
    case Kind::uint64: return Value::float64(static_cast<double>(value.as_uint()));
    default: return std::nullopt;
  }
}

std::optional<Value> to_bool(const Value& value) {
  switch (value.kind()) {
    case Kind::boolean: return value;
    case Kind::int64:
      if (value.as_int() != 0 && value.as_int() != 1) return std::nullopt;
      return Value::boolean(value.as_int() == 1);
    case Kind::string:
      if (value.text() == "true" || value.text() == "1") return Value::boolean(true);
      if (value.text() == "false" || value.text() == "0") return Value::boolean(false);
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<Value> to_text(const Value& value, Arena& arena) {
  if (value.is(Kind::string)) return value;
  if (value.is(Kind::json)) return Value::string(value.text());
  std::string text;
  if (!expr::append_printed(value, text)) return std::nullopt;
  return Value::string(arena.copy(text));
}

std::optional<Value> to_timestamp(const Value& value, const TimeFormat& format) {
  if (value.is(Kind::timestamp)) return value;
  const auto time = format.read(value);
  if (!time) return std::nullopt;
  return Value::timestamp(*time);
}

std::optional<Value> to_ip(const Value& value, Arena& arena) {
  if (value.is(Kind::ip)) return value;
  if (!value.is(Kind::string)) return std::nullopt;
  const auto address = expr::parse_logged_ip(value.text());
  if (!address) return std::nullopt;
  return Value::ip(arena.copy(address->bytes()));
}

}  // namespace streamd
