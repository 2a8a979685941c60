// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_text.h"

#include "engine/codec/short_decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace streamd {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

Value number_value(std::string_view text, bool integer) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (integer) {
    std::int64_t i = 0;
    if (std::from_chars(begin, end, i).ec == std::errc()) return Value::int64(i);
    std::uint64_t u = 0;
    if (*begin != '-' && std::from_chars(begin, end, u).ec == std::errc()) return Value::uint64(u);
  }
  double d = 0;
  if (short_double(text, d)) return Value::float64(d);
  if (std::from_chars(begin, end, d).ec == std::errc::result_out_of_range) {
    const std::size_t e = text.find_first_of("eE");
    const bool tiny = e != std::string_view::npos && e + 1 < text.size() && text[e + 1] == '-';
    d = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    if (*begin == '-') d = -d;
  }
  return Value::float64(d);
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hex digits at text[at]; -1 when they are not there.
std::int32_t hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  std::int32_t code = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

char simple_escape(char c) {
  switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

char* put_utf8(std::int32_t c, char* to) {
  const auto put = [&](std::int32_t byte) {
    *to++ = static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
  return to;
}

// The code point whose \u stands at text[at]; moves `at` behind it. A lone surrogate is U+FFFD.
std::int32_t code_point(std::string_view text, std::size_t& at) {
  std::int32_t code = hex4(text, at + 2);
  at += 6;
  if (code < 0xD800 || code > 0xDFFF) return code;
  if (code < 0xDC00 && at + 6 <= text.size() && text[at] == '\\' && text[at + 1] == 'u') {
    const std::int32_t low = hex4(text, at + 2);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      at += 6;
      return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
  }
  return 0xFFFD;
}

}  // namespace

bool read_json_number(std::string_view text, Value* value) {
  const char* p = text.data();
  const char* const end = p + text.size();
  const bool negative = p != end && *p == '-';
  if (negative) ++p;
  if (p == end || !is_digit(*p)) return false;
  const char* const digits = p;
  std::int64_t small = 0;
  if (*p == '0') {
    ++p;
  } else {
    while (p != end && is_digit(*p)) {
      if (p - digits < 18) small = small * 10 + (*p - '0');
      ++p;
    }
  }
  if (p == end) {
    if (value != nullptr) {
      *value =
          p - digits <= 18 ? Value::int64(negative ? -small : small) : number_value(text, true);
    }
    return true;
  }
  if (*p == '.') {
    const char* const fraction = ++p;
    while (p != end && is_digit(*p)) ++p;
    if (p == fraction) return false;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end && (*p == '+' || *p == '-')) ++p;
    const char* const exponent = p;
    while (p != end && is_digit(*p)) ++p;
    if (p == exponent) return false;
  }
  if (p != end) return false;
  if (value != nullptr) *value = number_value(text, false);
  return true;
}

bool check_json_escapes(std::string_view text, std::size_t& bad_at) {
  std::size_t at = text.find('\\');
  while (at != std::string_view::npos) {
    bad_at = at;
    if (at + 1 >= text.size()) return false;
    if (text[at + 1] == 'u') {
      if (hex4(text, at + 2) < 0) return false;
    } else if (simple_escape(text[at + 1]) == 0) {
      return false;
    }
    at = text.find('\\', at + 2);
  }
  return true;
}

bool unescape_json(std::string_view text, char* to, std::size_t& size) {
  std::size_t bad_at = 0;
  if (!check_json_escapes(text, bad_at)) return false;
  char* const begin = to;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t escape = std::min(text.find('\\', at), text.size());
    std::memcpy(to, text.data() + at, escape - at);
    to += escape - at;
    at = escape;
    if (at == text.size()) break;
    if (text[at + 1] == 'u') {
      to = put_utf8(code_point(text, at), to);
    } else {
      *to++ = simple_escape(text[at + 1]);
      at += 2;
    }
  }
  size = static_cast<std::size_t>(to - begin);
  return true;
}

}  // namespace streamd
