// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_text.h"

#include "engine/codec/short_decimal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// 0: not one.
constexpr std::array<char, 256> kSimpleEscapes = [] {
  std::array<char, 256> table{};
  table['"'] = '"';
  table['\\'] = '\\';
  table['/'] = '/';
  table['b'] = '\b';
  table['f'] = '\f';
  table['n'] = '\n';
  table['r'] = '\r';
  table['t'] = '\t';
  return table;
}();

char simple_escape(char c) { return kSimpleEscapes[static_cast<unsigned char>(c)]; }

#if defined(__SSE2__)
constexpr char kSimple[] = "\"\\/bfnrt";

// Bit i: byte i of these 16 is one of `wanted`.
template <std::size_t N>
std::uint32_t positions(const char* bytes, const char (&wanted)[N]) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  __m128i found = _mm_setzero_si128();
  for (std::size_t i = 0; i + 1 < N; ++i)
    found = _mm_or_si128(found, _mm_cmpeq_epi8(block, _mm_set1_epi8(wanted[i])));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(found));
}
#endif

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
  std::size_t at = 0;
  const auto good = [&](std::size_t escape) {
    bad_at = escape;
    if (escape + 1 >= text.size()) return false;
    const char c = text[escape + 1];
    return c == 'u' ? hex4(text, escape + 2) >= 0 : simple_escape(c) != 0;
  };
#if defined(__SSE2__)
  // Pages of HTML have an escape every twenty bytes: finding them one by one costs more than
  // everything else about a string that nobody reads.
  for (; at + 17 <= text.size(); at += 16) {
    std::uint32_t found = positions(text.data() + at, "\\");
    if (found == 0) continue;
    bool last = (found >> 15) != 0;
    const bool apart = (found & (found << 1)) == 0;
    if (!apart || (found & ~positions(text.data() + at + 1, kSimple)) != 0) {
      last = false;
      for (; found != 0; found &= found - 1) {
        const auto i = static_cast<std::uint32_t>(std::countr_zero(found));
        if (!good(at + i)) return false;
        last = i == 15;
        found &= ~(std::uint32_t{2} << i);  // what it escapes is none
      }
    }
    if (last) ++at;  // what is escaped lies in the next block
  }
#endif
  for (at = text.find('\\', at); at != std::string_view::npos; at = text.find('\\', at + 2))
    if (!good(at)) return false;
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
