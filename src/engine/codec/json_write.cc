// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/base64.h"
#include "engine/codec/encode.h"
#include "engine/codec/raw_json.h"
#include "engine/codec/time_format.h"
#include "engine/codec/value_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamd {
namespace {

// Length of the beginning that needs no escape.
std::size_t plain_length(std::string_view text) {
  std::size_t i = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(b, last_control), b);
    const __m128i hit =
        _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(b, quote), _mm_cmpeq_epi8(b, backslash)));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return i + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return i;
}

void append_items(const Value& value, std::string& out, TimeStyle style) {
  out += '[';
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (i > 0) out += ',';
    append_json(value.items()[i], out, style);
  }
  out += ']';
}

void append_map(const Value& value, std::string& out, TimeStyle style) {
  out += '{';
  std::string key;
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (i > 0) out += ',';
    key.clear();
    append_text(value.items()[2 * i], key, style);
    append_json_string(key, out);
    out += ':';
    append_json(value.items()[2 * i + 1], out, style);
  }
  out += '}';
}

void append_double(double d, std::string& out) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), d).ptr;
  const std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
  out += digits;
  if (std::isfinite(d) && digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

unsigned octet(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

// RFC 5952: the longest run of two or more zero groups becomes "::".
void append_ipv6(std::string_view bytes, std::string& out) {
  std::array<unsigned, 8> group;
  for (std::size_t i = 0; i < 8; ++i) group[i] = octet(bytes, 2 * i) << 8 | octet(bytes, 2 * i + 1);
  std::size_t best = 8, best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && group[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (i > 0 && i != best + best_length) out += ':';
    fmt::format_to(std::back_inserter(out), "{:x}", group[i]);
  }
}

void append_address(std::string_view bytes, std::string& out) {
  if (bytes.size() == 4) {
    fmt::format_to(std::back_inserter(out), "{}.{}.{}.{}", octet(bytes, 0), octet(bytes, 1),
                   octet(bytes, 2), octet(bytes, 3));
  } else if (bytes.size() == 16) {
    append_ipv6(bytes, out);
  }
}

// Seconds with as many digits as are needed: 1.5s, -0.25s.
void append_duration(std::int64_t nanos, std::string& out) {
  const bool negative = nanos < 0;
  const std::uint64_t size =
      negative ? ~static_cast<std::uint64_t>(nanos) + 1 : static_cast<std::uint64_t>(nanos);
  fmt::format_to(std::back_inserter(out), "{}{}", negative ? "-" : "", size / 1'000'000'000);
  if (const std::uint64_t rest = size % 1'000'000'000; rest != 0) {
    fmt::format_to(std::back_inserter(out), ".{:09}", rest);
    while (out.back() == '0') out.pop_back();
  }
  out += 's';
}

bool is_quoted(const Value& value, TimeStyle style) {
  switch (value.kind()) {
    case Kind::timestamp: return style == TimeStyle::rfc3339;
    case Kind::duration:
    case Kind::bytes:
    case Kind::ip:
    case Kind::cidr: return true;
    default: return false;
  }
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
  out += '"';
  while (true) {
    const std::size_t plain = plain_length(text);
    out += text.substr(0, plain);
    if (plain == text.size()) break;
    const char c = text[plain];
    if (const std::size_t i = kSpecial.find(c); i != std::string_view::npos) {
      out += '\\';
      out += kLetters[i];
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                     static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void append_text(const Value& value, std::string& out, TimeStyle style) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::null: break;
    case Kind::boolean: out += value.as_bool() ? "true" : "false"; break;
    case Kind::int64: fmt::format_to(std::back_inserter(out), "{}", value.as_int()); break;
    case Kind::uint64: fmt::format_to(std::back_inserter(out), "{}", value.as_uint()); break;
    case Kind::float64: append_double(value.as_double(), out); break;
    case Kind::string:
    case Kind::error: out += value.text(); break;
    case Kind::timestamp:
      if (style == TimeStyle::rfc3339)
        format_rfc3339(value.as_time(), value.size(), out);
      else
        format_unix(value.as_time(), value.size(), out);
      break;
    case Kind::json: append_one_line(value.text(), out); break;
    case Kind::duration: append_duration(value.as_duration_nanos(), out); break;
    case Kind::bytes: append_base64(value.text(), out); break;
    case Kind::ip: append_address(value.text(), out); break;
    case Kind::cidr:
      if (value.size() == 0) break;
      append_address(value.text().substr(0, value.size() - 1), out);
      fmt::format_to(std::back_inserter(out), "/{}", octet(value.text(), value.size() - 1));
      break;
    case Kind::list: append_items(value, out, style); break;
    case Kind::map: append_map(value, out, style); break;
  }
}

void append_json(const Value& value, std::string& out, TimeStyle style) {
  if (value.absent() || value.is(Kind::error) ||
      (value.is(Kind::float64) && !std::isfinite(value.as_double()))) {
    out += "null";
  } else if (value.is(Kind::string)) {
    append_json_string(value.text(), out);
  } else if (is_quoted(value, style)) {
    out += '"';
    append_text(value, out, style);
    out += '"';
  } else {
    append_text(value, out, style);
  }
}

}  // namespace streamd
