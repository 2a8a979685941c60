// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/calendar.h"

#include <array>

namespace streamd {
namespace {

constexpr std::string_view kConversions = "YymbBdejHMSfszZaAFT%";

bool same_letters(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (static_cast<char>(text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

// The full name, or its first three letters; its number from 1, 0 when there is none.
template <std::size_t N>
unsigned eat_name(TimeCursor& at, const std::array<std::string_view, N>& names) {
  for (unsigned i = 0; i < N; ++i) {
    for (const std::string_view name : {names[i], names[i].substr(0, 3)}) {
      if (!same_letters(at.rest, name)) continue;
      at.rest.remove_prefix(name.size());
      return i + 1;
    }
  }
  return 0;
}

struct Parts {
  CivilTime civil;
  std::uint32_t nanos = 0;
  unsigned day_of_year = 0;
  std::optional<std::int64_t> unix_seconds;
  bool before_1970 = false;  // -0.5 too: then a fraction leads further back
};

bool eat_unix(TimeCursor& at, Parts& parts) {
  const bool negative = at.eat('-');
  std::int64_t seconds = 0;
  std::size_t i = 0;
  for (; i < at.rest.size() && i < 13 && is_digit(at.rest[i]); ++i) {
    seconds = seconds * 10 + (at.rest[i] - '0');
  }
  at.rest.remove_prefix(i);
  parts.unix_seconds = negative ? -seconds : seconds;
  parts.before_1970 = negative;
  return i > 0;
}

bool eat_date(TimeCursor& at, Parts& parts) {
  unsigned year = 0;
  if (!at.number(4, 4, year) || !at.eat('-') || !at.number(1, 2, parts.civil.month) ||
      !at.eat('-') || !at.number(1, 2, parts.civil.day)) {
    return false;
  }
  parts.civil.year = year;
  return true;
}

bool eat_year(TimeCursor& at, Parts& parts, bool short_year) {
  unsigned year = 0;
  if (!(short_year ? at.number(2, 2, year) : at.number(4, 4, year))) return false;
  parts.civil.year = year + (!short_year ? 0u : year < 69 ? 2000u : 1900u);
  return true;
}

bool eat_zone_name(TimeCursor& at) {
  if (!same_letters(at.rest, "utc") && !same_letters(at.rest, "gmt")) return false;
  at.rest.remove_prefix(3);
  return true;
}

bool eat(char conversion, TimeCursor& at, Parts& parts) {
  CivilTime& t = parts.civil;
  switch (conversion) {
    case 'Y': return eat_year(at, parts, false);
    case 'y': return eat_year(at, parts, true);
    case 'm': return at.number(1, 2, t.month);
    case 'b':
    case 'B': return (t.month = eat_name(at, kMonths)) != 0;
    case 'e':
    case 'd':
      while (at.eat(' ')) {
      }
      return at.number(1, 2, t.day);
    case 'j': return at.number(1, 3, parts.day_of_year) && parts.day_of_year > 0;
    case 'H': return at.number(1, 2, t.hour);
    case 'M': return at.number(1, 2, t.minute);
    case 'S': return at.number(1, 2, t.second);
    case 'f': return at.fraction(parts.nanos);
    case 's': return eat_unix(at, parts);
    case 'z': return at.zone(t.offset_seconds);
    case 'Z': return eat_zone_name(at);
    case 'a':
    case 'A': return eat_name(at, kWeekdays) != 0;
    case 'F': return eat_date(at, parts);
    case 'T':
      return at.number(1, 2, t.hour) && at.eat(':') && at.number(1, 2, t.minute) && at.eat(':') &&
             at.number(1, 2, t.second);
    default: return at.eat(conversion);
  }
}

std::optional<EventTime> together(Parts& parts) {
  std::optional<std::int64_t> seconds = parts.unix_seconds;
  if (!seconds) {
    if (parts.day_of_year > 0) {
      const unsigned last = days_in_month(parts.civil.year, 2) == 29 ? 366 : 365;
      if (parts.day_of_year > last) return std::nullopt;
      const CivilDay day =
          civil_from_days(days_from_civil(parts.civil.year, 1, 1) + parts.day_of_year - 1);
      parts.civil.month = day.month;
      parts.civil.day = day.day;
    }
    seconds = to_unix(parts.civil);
  }
  if (!seconds) return std::nullopt;
  const std::int64_t fraction = parts.nanos / 1000;
  const std::int64_t micros =
      *seconds * kMicrosPerSecond + (parts.before_1970 ? -fraction : fraction);
  return in_calendar(micros) ? std::optional(EventTime{micros}) : std::nullopt;
}

}  // namespace

std::optional<std::string_view> pattern_trouble(std::string_view pattern) {
  const auto has = [&](std::string_view letters) {
    for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
      if (pattern[i] != '%') continue;
      if (letters.find(pattern[++i]) != std::string_view::npos) return true;
    }
    return false;
  };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    if (i + 1 == pattern.size()) return "ends in %";
    if (kConversions.find(pattern[++i]) == std::string_view::npos) return "unknown conversion";
  }
  if (has("s") || has("F")) return std::nullopt;
  if (!has("Yy")) return "has no year";
  if (!has("j") && !(has("mbB") && has("de"))) return "has no month and day";
  return std::nullopt;
}

std::optional<EventTime> parse_pattern(std::string_view pattern, std::string_view text) {
  TimeCursor at{text};
  Parts parts;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    // Those who write fractions often leave them out where they are zero, with their point.
    if (pattern.substr(i).starts_with(".%f") && !at.rest.starts_with('.')) {
      i += 2;
      continue;
    }
    if (pattern[i] == '%') {
      if (!eat(pattern[++i], at, parts)) return std::nullopt;
    } else if (!at.eat(pattern[i])) {
      return std::nullopt;
    } else if (pattern[i] == ' ') {
      while (at.eat(' ')) {
      }
    }
  }
  return at.rest.empty() ? together(parts) : std::nullopt;
}

}  // namespace streamd
