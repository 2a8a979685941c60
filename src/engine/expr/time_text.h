// SPDX-License-Identifier: Apache-2.0
// Timestamps and durations as text, and the parts of a timestamp in a time zone.
#pragma once

#include "engine/core/time.h"
#include "engine/core/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::expr {

// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z.
inline constexpr EventTime kMinTimestamp{-62135596800'000'000};
inline constexpr EventTime kMaxTimestamp{253402300799'999'999};

// RFC 3339; at most nine digits of a second count. nullopt: no such time, or out of range.
std::optional<Value> parse_timestamp(std::string_view text);
// In UTC, with as many digits of a second as needed.
void append_timestamp(EventTime t, std::uint32_t nanos, std::string& out);

// Nanoseconds of "1h30m", "-1.5h", "0", "34us". nullopt: no duration, or more than 292 years.
std::optional<std::int64_t> parse_nanos(std::string_view text);
// In seconds: "60.001s".
void append_nanos(std::int64_t nanos, std::string& out);

struct CivilTime {
  std::int64_t year = 0;
  int month = 1, day = 1;  // 1-based
  int weekday = 0;         // 0 = Sunday
  int yearday = 1;         // 1-based
  int hour = 0, minute = 0, second = 0;
};
// zone: "UTC", an IANA name, or [+-]hh:mm. nullopt: no such zone.
std::optional<CivilTime> civil_time(EventTime t, std::string_view zone);
// Seconds since 1970 at which clocks of the zone show a date and time, given as if it were UTC's.
// What is left out when clocks go forward counts on from before; of a time that comes twice the
// first is meant. nullopt: no such zone.
std::optional<std::int64_t> unix_of_local(std::int64_t local_seconds, std::string_view zone);

}  // namespace streamd::expr
