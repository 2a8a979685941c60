// SPDX-License-Identifier: Apache-2.0
// The parts of a syslog message. Private to codec/. All read from the left of a text.
#pragma once

#include "engine/codec/syslog_message.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace streamd {

// A date and time of day as written.
struct SyslogStamp {
  std::int64_t year = 0;  // 0: not said
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::uint32_t nanos = 0;  // of the second
  bool zoned = false;
  bool loose = false;  // not as RFC 5424 wants it
  std::int64_t offset_seconds = 0;
};

// Bytes that were read; 0: there is no stamp. The numbers need not make a day.
// 2024-01-02T03:04:05.123456+01:00; a blank for the T, a comma for the point, no zone.
std::size_t read_iso_stamp(std::string_view text, SyslogStamp& out);
// Jan  2 03:04:05 with weekday, year, fraction and zone where they are found.
std::size_t read_bsd_stamp(std::string_view text, SyslogStamp& out, std::uint32_t& flags);
// 2024-01-02 and 03:04:05.
std::size_t read_date(std::string_view text, SyslogStamp& out);
std::size_t read_clock(std::string_view text, SyslogStamp& out);

// Turns stamps into moments.
class SyslogClock {
 public:
  SyslogClock(SyslogParser& parser, EventTime arrival) : parser_(parser), arrival_(arrival) {}
  // Sets time, nanos and the flags of a stamp that is no moment or names no year.
  void settle(const SyslogStamp& stamp, SyslogMessage& m);
  void settle_unix(std::int64_t seconds, std::uint32_t nanos, SyslogMessage& m);

 private:
  bool seconds_of(const SyslogStamp& stamp, std::int64_t year, std::int64_t& seconds);
  bool guess_year(const SyslogStamp& stamp, std::int64_t& seconds);

  SyslogParser& parser_;
  EventTime arrival_;
};

// `rest`: what follows the priority. False: not this format, nothing was changed.
bool parse_rfc5424(std::string_view rest, SyslogClock& clock, SyslogMessage& m);
void parse_rfc3164(std::string_view rest, SyslogClock& clock, SyslogMessage& m);

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace streamd
