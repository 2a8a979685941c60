// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/convert.h"

#include "engine/expr/functions.h"
#include "engine/expr/scalar.h"
#include "engine/expr/template.h"
#include "engine/expr/time_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace streamd::expr {
namespace {

constexpr std::array<std::string_view, 15> kTypeNames = {"int",
                                                         "uint",
                                                         "double",
                                                         "bool",
                                                         "string",
                                                         "bytes",
                                                         "list",
                                                         "map",
                                                         "null_type",
                                                         "type",
                                                         "google.protobuf.Timestamp",
                                                         "google.protobuf.Duration",
                                                         "net.IP",
                                                         "net.CIDR",
                                                         "dyn"};

Value mismatch(const Call& c) {
  return no_overload(c.context, c.node.function->name, c.args, c.count);
}

Value unreadable(const Call& c, std::string_view what) {
  std::string text = "\"";
  text += c[0].text().substr(0, 100);
  text += "\" is no ";
  text += what;
  return failure(c.context, text);
}

template <class T>
bool read_number(std::string_view text, T& into) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return false;
  }
  const char* end = text.data() + text.size();
  const auto [at, problem] = std::from_chars(text.data(), end, into);
  return problem == std::errc() && at == end;
}

// Epoch seconds, rounded towards the past.
std::int64_t epoch_seconds(EventTime t) {
  return slice_start(t, Duration::from_seconds(1)).micros / 1'000'000;
}

}  // namespace

Value to_int(const Call& c) {
  const Value& v = c[0];
  switch (v.kind()) {
    case Kind::int64: return v;
    case Kind::uint64:
      if (v.as_uint() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) break;
      return Value::int64(v.as_int());
    case Kind::float64:
      if (!(v.as_double() > -9223372036854775808.0 && v.as_double() < 9223372036854775808.0)) break;
      return Value::int64(static_cast<std::int64_t>(v.as_double()));
    case Kind::string: {
      std::int64_t out = 0;
      return read_number(v.text(), out) ? Value::int64(out) : unreadable(c, "int");
    }
    case Kind::timestamp: return Value::int64(epoch_seconds(v.as_time()));
    default: return mismatch(c);
  }
  return Value::error("number is out of the range of int");
}

Value to_uint(const Call& c) {
  const Value& v = c[0];
  switch (v.kind()) {
    case Kind::uint64: return v;
    case Kind::int64:
      if (v.as_int() < 0) break;
      return Value::uint64(v.as_uint());
    case Kind::float64:
      if (!(v.as_double() > -1.0 && v.as_double() < 18446744073709551616.0)) break;
      if (v.as_double() < 0) break;
      return Value::uint64(static_cast<std::uint64_t>(v.as_double()));
    case Kind::string: {
      std::uint64_t out = 0;
      return read_number(v.text(), out) ? Value::uint64(out) : unreadable(c, "uint");
    }
    default: return mismatch(c);
  }
  return Value::error("number is out of the range of uint");
}

Value to_double(const Call& c) {
  const Value& v = c[0];
  switch (v.kind()) {
    case Kind::float64: return v;
    case Kind::int64: return Value::float64(static_cast<double>(v.as_int()));
    case Kind::uint64: return Value::float64(static_cast<double>(v.as_uint()));
    case Kind::string: {
      if (v.text() == "NaN") return Value::float64(std::numeric_limits<double>::quiet_NaN());
      if (v.text() == "Infinity" || v.text() == "+Infinity")
        return Value::float64(std::numeric_limits<double>::infinity());
      if (v.text() == "-Infinity") return Value::float64(-std::numeric_limits<double>::infinity());
      double out = 0;
      if (!read_number(v.text(), out) || !std::isfinite(out)) return unreadable(c, "double");
      return Value::float64(out);
    }
    default: return mismatch(c);
  }
}

Value to_string(const Call& c) {
  const Value& v = c[0];
  if (v.is(Kind::string)) return v;
  if (v.is(Kind::bytes))
    return valid_utf8(v.text()) ? Value::string(v.text())
                                : Value::error("bytes are no valid UTF-8");
  if (v.is(Kind::json)) return Value::string(v.text());
  if (v.is(Kind::null) || v.is(Kind::list) || v.is(Kind::map)) return mismatch(c);
  thread_local std::string text;
  text.clear();
  append_printed(v, text);
  return Value::string(c.context.arena.copy(text));
}

Value to_bytes(const Call& c) {
  if (c[0].is(Kind::bytes)) return c[0];
  return c[0].is(Kind::string) ? Value::bytes(c[0].text()) : mismatch(c);
}

Value to_bool(const Call& c) {
  if (c[0].is(Kind::boolean)) return c[0];
  if (!c[0].is(Kind::string)) return mismatch(c);
  for (const std::string_view yes : {"1", "t", "true", "TRUE", "True"})
    if (c[0].text() == yes) return Value::boolean(true);
  for (const std::string_view no : {"0", "f", "false", "FALSE", "False"})
    if (c[0].text() == no) return Value::boolean(false);
  return unreadable(c, "bool");
}

Value to_timestamp(const Call& c) {
  if (c[0].is(Kind::timestamp)) return c[0];
  if (c[0].is(Kind::int64)) {
    const std::int64_t seconds = c[0].as_int();
    if (seconds < kMinTimestamp.micros / 1'000'000 || seconds > kMaxTimestamp.micros / 1'000'000)
      return Value::error("timestamp is out of range");
    return Value::timestamp({seconds * 1'000'000});
  }
  if (!c[0].is(Kind::string)) return mismatch(c);
  const auto parsed = parse_timestamp(c[0].text());
  return parsed ? *parsed : unreadable(c, "timestamp such as 2026-01-31T12:00:00Z");
}

Value to_duration(const Call& c) {
  if (c[0].is(Kind::duration)) return c[0];
  if (!c[0].is(Kind::string)) return mismatch(c);
  const auto parsed = parse_nanos(c[0].text());
  return parsed ? Value::duration(*parsed) : unreadable(c, "duration such as 1h30m or 1.5s");
}

Value type_of_value(const Call& c) {
  const Value& v = c[0];
  const auto named = [](std::string_view name) { return Value::string(known_type_name(name)); };
  switch (v.kind()) {
    case Kind::null: return named("null_type");
    case Kind::timestamp: return named("google.protobuf.Timestamp");
    case Kind::duration: return named("google.protobuf.Duration");
    case Kind::ip: return named("net.IP");
    case Kind::cidr: return named("net.CIDR");
    case Kind::json: return named(!v.text().empty() && v.text().front() == '[' ? "list" : "map");
    case Kind::string:
      // Only names of types point into the table of names.
      for (const auto name : kTypeNames)
        if (v.text().data() == name.data()) return named("type");
      return named("string");
    default: return named(kind_name(v.kind()));
  }
}

std::string_view known_type_name(std::string_view name) {
  for (const auto known : kTypeNames)
    if (known == name) return known;
  return {};
}

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    std::uint32_t code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3F);
    }
    if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10FFFF)) ||
        (code >= 0xD800 && code <= 0xDFFF))
      return false;
    i += length;
  }
  return true;
}

}  // namespace streamd::expr
