// SPDX-License-Identifier: Apache-2.0
// The proleptic Gregorian calendar, and digits. Private to codec/.
#pragma once

#include "engine/core/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace streamd {

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr EventTime kFirstTime{-62'135'596'800 * kMicrosPerSecond};     // 0001-01-01
inline constexpr EventTime kLastTime{253'402'300'800 * kMicrosPerSecond - 1};  // end of 9999

constexpr bool in_calendar(std::int64_t micros) {
  return micros >= kFirstTime.micros && micros <= kLastTime.micros;
}

// Days since 1970-01-01 for month 1..12; eras of 400 years, years that begin in March.
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

struct CivilDay {
  std::int64_t year;
  unsigned month;
  unsigned day;
};
constexpr CivilDay civil_from_days(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted + 2) / 5 + 1};
}

constexpr unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr std::array<unsigned, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month];
}

// Local date and time with its offset from UTC; second 60 is the first of the next minute.
struct CivilTime {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t offset_seconds = 0;
};
// Seconds since 1970, or nullopt when a part is out of its range.
inline std::optional<std::int64_t> to_unix(const CivilTime& t) {
  if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > days_in_month(t.year, t.month) ||
      t.hour > 23 || t.minute > 59 || t.second > 60) {
    return std::nullopt;
  }
  return days_from_civil(t.year, t.month, t.day) * 86400 + t.hour * 3600 + t.minute * 60 +
         t.second - t.offset_seconds;
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// 1..12 for Jan..Dec in any case, 0 otherwise. Looks at the first three letters.
unsigned month_of(std::string_view text);

// Reads text from the left.
struct TimeCursor {
  std::string_view rest;

  bool eat(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  // least..most digits.
  bool number(std::size_t least, std::size_t most, unsigned& into) {
    unsigned n = 0;
    std::size_t i = 0;
    for (; i < most && i < rest.size() && is_digit(rest[i]); ++i) {
      n = n * 10 + static_cast<unsigned>(rest[i] - '0');
    }
    rest.remove_prefix(i);
    into = n;
    return i >= least;
  }
  // Digits behind a point, as nanoseconds; at least one, those beyond the ninth are ignored.
  bool fraction(std::uint32_t& nanos);
  // Z, +01:00, +0100, +01.
  bool zone(std::int64_t& offset_seconds);
};

// A pattern of strptime conversions (time_format.h): what is wrong with it, if anything.
std::optional<std::string_view> pattern_trouble(std::string_view pattern);
std::optional<EventTime> parse_pattern(std::string_view pattern, std::string_view text);

}  // namespace streamd
