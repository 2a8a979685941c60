// SPDX-License-Identifier: Apache-2.0
// Points in time as text or numbers, and back. Immutable after parse(); any thread.
//
// Specs: unix, unix_ms, unix_us, unix_ns (number or text, fraction allowed), rfc3339, clf
// (02/Jan/2024:03:04:05 +0100), or a pattern of %Y %y %m %b %B %d %e %j %H %M %S %f (fraction; a
// text may lack ".%f") %s %z %Z (UTC, GMT) %a %A %F %T %%. A pattern without a zone means UTC.
#pragma once

#include "engine/codec/short_decimal.h"
#include "engine/core/error.h"
#include "engine/core/time.h"
#include "engine/core/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd {

class TimeFormat {
 public:
  static Result<TimeFormat> parse(std::string_view spec);
  // nullopt: not a time of this format, or outside the years 0001 to 9999. Values that already are
  // timestamps pass whatever the format. Digits beyond the microsecond are cut towards the past.
  std::optional<EventTime> read(const Value& value) const {
    std::int64_t micros = 0;
    if (kind_ == Kind::unix_time && digits_ == 6 && value.is(streamd::Kind::string) &&
        short_unix_time(value.text(), micros)) [[likely]] {
      return EventTime{micros};
    }
    EventTime time;
    if (!read_any(value, time)) return std::nullopt;
    return time;
  }

 private:
  // Through a reference: an optional of this call would make that of the usual case one in memory,
  // which is then waited for.
  bool read_any(const Value& value, EventTime& time) const;

  enum class Kind : std::uint8_t { unix_time, rfc3339, clf, pattern };
  Kind kind_ = Kind::unix_time;
  int digits_ = 6;       // unix: decimal digits from the unit down to the microsecond; -3 for ns
  std::string pattern_;  // kind pattern: the spec
};

struct ParsedTime {
  EventTime time;
  std::uint32_t nanos = 0;  // 0..999 inside the microsecond
};
std::optional<ParsedTime> parse_rfc3339(std::string_view text);
std::optional<EventTime> parse_clf_time(std::string_view text);

// 2024-01-02T03:04:05Z with as many fraction digits as are needed, at most 9. Years outside
// 0..9999 are written with a sign and at least four digits. nanos: 0..999.
void format_rfc3339(EventTime time, std::uint32_t nanos, std::string& out);
// Seconds since 1970: 1659509511.865323; as many fraction digits as are needed.
void format_unix(EventTime time, std::uint32_t nanos, std::string& out);

}  // namespace streamd
