// SPDX-License-Identifier: Apache-2.0
// Any value as text: times as RFC 3339 in UTC, addresses as people write them, lists and maps as
// JSON, bytes in hexadecimal. For sinks and log lines.
#pragma once

#include "value.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace sd {

namespace detail {

template <class T>
void append_number(std::string& into, T number) {
  char digits[64];
  into.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

inline void append_time(std::string& into, std::int64_t micros) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(micros)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[48];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  into += text;
}

inline void append_ip(std::string& into, std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() == 4) {
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) into += '.';
      append_number(into, static_cast<unsigned>(byte(i)));
    }
    return;
  }
  if (bytes.size() != 16) return;
  // RFC 5952: the longest row of two or more zero groups is left out, the first of equal ones.
  std::size_t best = 8, best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && byte(2 * (i + length)) == 0 && byte(2 * (i + length) + 1) == 0)
      ++length;
    if (length > best_length) best = i, best_length = length;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      into += "::";
      i += best_length - 1;
      continue;
    }
    if (i > 0 && into.back() != ':') into += ':';
    char group[8];
    std::snprintf(group, sizeof group, "%x", byte(2 * i) << 8 | byte(2 * i + 1));
    into += group;
  }
}

inline void append_quoted(std::string& into, std::string_view text) {
  into += '"';
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      into += '\\';
      into += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      into += escape;
    } else {
      into += c;
    }
  }
  into += '"';
}

inline void append_value(std::string& into, Value value, bool json, int depth);

inline void append_items(std::string& into, Value value, int depth) {
  const bool map = value.kind() == SD_MAP;
  const auto items = value.items();
  into += map ? '{' : '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool after_key = map && i % 2 == 1;
    if (i > 0) into += after_key ? ':' : ',';
    if (map && !after_key && items[i].kind() != SD_STRING) {
      std::string key;
      append_value(key, items[i], false, depth + 1);
      append_quoted(into, key);
    } else {
      append_value(into, items[i], true, depth + 1);
    }
  }
  into += map ? '}' : ']';
}

inline void append_value(std::string& into, Value value, bool json, int depth) {
  if (depth > 64) throw std::length_error("a list of more than 64 levels");
  const sd_value& raw = value.raw();
  const std::size_t quote = into.size();
  bool quoted = false;
  switch (raw.kind) {
    case SD_MISSING:
    case SD_NULL: into += json ? "null" : ""; break;
    case SD_BOOL: into += raw.as.i != 0 ? "true" : "false"; break;
    case SD_INT: append_number(into, raw.as.i); break;
    case SD_UINT: append_number(into, raw.as.u); break;
    case SD_DOUBLE:
      // JSON has no infinity.
      if (json && !(raw.as.d - raw.as.d == 0))
        into += "null";
      else
        append_number(into, raw.as.d);
      break;
    case SD_JSON: into += value.json().value_or(""); break;
    case SD_STRING:
      if (json)
        append_quoted(into, *value.text());
      else
        into += *value.text();
      break;
    case SD_TIMESTAMP: append_time(into, raw.as.i), quoted = true; break;
    case SD_DURATION: append_number(into, static_cast<double>(raw.as.i) / 1e9); break;
    case SD_IP: append_ip(into, *value.ip()), quoted = true; break;
    case SD_CIDR:
      if (raw.size > 1) {
        append_ip(into, {raw.as.s, raw.size - 1});
        into += '/';
        append_number(into,
                      static_cast<unsigned>(static_cast<unsigned char>(raw.as.s[raw.size - 1])));
      }
      quoted = true;
      break;
    case SD_BYTES:
      for (const char c : std::string_view(*value.bytes())) {
        into += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        into += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
      }
      quoted = true;
      break;
    default: append_items(into, value, depth); break;
  }
  if (json && quoted) {
    into.insert(quote, 1, '"');
    into += '"';
  }
}

}  // namespace detail

// Adds it to `into`; nothing for null and missing. Durations are seconds.
inline void append_text(std::string& into, Value value) {
  detail::append_value(into, value, false, 0);
}

}  // namespace sd
