// SPDX-License-Identifier: Apache-2.0
// Values as people read them.
#include "engine/expr/print.h"

#include "engine/expr/network.h"
#include "engine/expr/template.h"
#include "engine/expr/time_text.h"

#include <charconv>
#include <cmath>

namespace streamd::expr {
namespace {

template <class T>
void append_number(T number, std::string& out) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_json_text(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json(const Value& value, std::string& out);

void append_entries(const Value& value, std::string& out) {
  const bool map = value.is(Kind::map);
  out += map ? '{' : '[';
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (i > 0) out += ',';
    if (map) {
      std::string key;
      append_printed(value.items()[2 * i], key);
      append_json_text(key, out);
      out += ':';
      append_json(value.items()[2 * i + 1], out);
    } else {
      append_json(value.items()[i], out);
    }
  }
  out += map ? '}' : ']';
}

void append_json(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Kind::null:
    case Kind::boolean:
    case Kind::int64:
    case Kind::uint64:
    case Kind::json: append_printed(value, out); return;
    case Kind::float64:
      if (std::isfinite(value.as_double()))
        append_double(value.as_double(), out);
      else
        out += "null";
      return;
    case Kind::list:
    case Kind::map: append_entries(value, out); return;
    default: {
      std::string text;
      append_printed(value, text);
      append_json_text(text, out);
    }
  }
}

}  // namespace

void append_double(double d, std::string& out) {
  if (std::isnan(d))
    out += "NaN";
  else if (std::isinf(d))
    out += d < 0 ? "-Infinity" : "Infinity";
  else
    append_number(d, out);
}

bool append_printed(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::error: return false;
    case Kind::null: out += "null"; return true;
    case Kind::boolean: out += value.as_bool() ? "true" : "false"; return true;
    case Kind::int64: append_number(value.as_int(), out); return true;
    case Kind::uint64: append_number(value.as_uint(), out); return true;
    case Kind::float64: append_double(value.as_double(), out); return true;
    case Kind::string:
    case Kind::json:
    case Kind::bytes: out += value.text(); return true;
    case Kind::timestamp: append_timestamp(value.as_time(), value.size(), out); return true;
    case Kind::duration: append_nanos(value.as_duration_nanos(), out); return true;
    case Kind::ip: append_ip(value.text(), out); return true;
    case Kind::cidr: append_cidr(value.text(), out); return true;
    case Kind::list:
    case Kind::map: append_entries(value, out); return true;
  }
  return false;
}

}  // namespace streamd::expr
