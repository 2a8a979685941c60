// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/calendar.h"
#include "engine/codec/syslog_parts.h"
#include "engine/expr/time_text.h"

#include <array>
#include <utility>

namespace streamd {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kQuarter = 900;

// Zones whose short name has one meaning, in hours. Others are local time.
constexpr std::array<std::pair<std::string_view, int>, 18> kZones = {{{"UTC", 0},
                                                                      {"GMT", 0},
                                                                      {"Z", 0},
                                                                      {"WET", 0},
                                                                      {"WEST", 1},
                                                                      {"CET", 1},
                                                                      {"CEST", 2},
                                                                      {"EET", 2},
                                                                      {"EEST", 3},
                                                                      {"MSK", 3},
                                                                      {"JST", 9},
                                                                      {"EST", -5},
                                                                      {"EDT", -4},
                                                                      {"CDT", -5},
                                                                      {"MST", -7},
                                                                      {"MDT", -6},
                                                                      {"PST", -8},
                                                                      {"PDT", -7}}};

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// Reads two digits at a time; what is none is remembered.
struct Digits {
  const char* text;
  unsigned wrong = 0;

  unsigned two(std::size_t at) {
    const unsigned a = static_cast<unsigned char>(text[at]) - unsigned{'0'};
    const unsigned b = static_cast<unsigned char>(text[at + 1]) - unsigned{'0'};
    wrong |= static_cast<unsigned>(a > 9) | static_cast<unsigned>(b > 9);
    return a * 10 + b;
  }
};

std::size_t read_so_far(const TimeCursor& at, std::string_view text) {
  return text.size() - at.rest.size();
}

bool at_weekday(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                     "Fri", "Sat", "Sun"};
  for (const std::string_view day : kDays) {
    if (text.starts_with(day)) return text.size() > 3 && (text[3] == ' ' || text[3] == ',');
  }
  return false;
}

// A year and the blank behind it.
bool read_year(TimeCursor& at, SyslogStamp& out) {
  TimeCursor tried = at;
  unsigned year = 0;
  if (!tried.number(4, 4, year) || year < 1900 || !tried.eat(' ')) return false;
  out.year = year;
  at = tried;
  return true;
}

void fraction_of(TimeCursor& at, SyslogStamp& out) {
  const bool comma = at.rest.starts_with(',');
  if (!comma && !at.rest.starts_with('.')) return;
  if (at.rest.size() < 2 || !is_digit(at.rest[1])) return;  // a full stop
  at.rest.remove_prefix(1);
  const std::size_t before = at.rest.size();
  at.fraction(out.nanos);
  out.loose = out.loose || comma || before - at.rest.size() > 6;
}

bool clock_of(TimeCursor& at, SyslogStamp& out) {
  if (at.rest.size() < 8 || at.rest[2] != ':' || at.rest[5] != ':') return false;
  Digits digits{at.rest.data()};
  out.hour = digits.two(0);
  out.minute = digits.two(3);
  out.second = digits.two(6);
  if (digits.wrong != 0) return false;
  at.rest.remove_prefix(8);
  fraction_of(at, out);
  return true;
}

// 2024-01-02T03:04:05.123456+01:00, in one go: nearly all stamps are so. 0: the long way.
std::size_t read_strict_stamp(std::string_view text, SyslogStamp& out) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':')
    return 0;
  Digits digits{text.data()};
  out.year = digits.two(0) * 100 + digits.two(2);
  out.month = digits.two(5);
  out.day = digits.two(8);
  out.hour = digits.two(11);
  out.minute = digits.two(14);
  out.second = digits.two(17);
  std::size_t at = 19;
  if (text[at] == '.') {
    constexpr std::array<std::uint32_t, 6> kScale = {100'000'000, 10'000'000, 1'000'000,
                                                     100'000,     10'000,     1'000};
    ++at;
    for (std::size_t i = 0; i < 6 && at < text.size() && is_digit(text[at]); ++i, ++at)
      out.nanos += static_cast<std::uint32_t>(text[at] - '0') * kScale[i];
    if (at == 20) return 0;
  }
  if (at == text.size()) return 0;
  const char sign = text[at];
  if (sign == 'Z') {
    ++at;
  } else {
    if ((sign != '+' && sign != '-') || text.size() - at < 6 || text[at + 3] != ':') return 0;
    const unsigned hours = digits.two(at + 1), minutes = digits.two(at + 4);
    if (hours > 23 || minutes > 59) return 0;
    const auto offset = static_cast<std::int64_t>(hours * 3600 + minutes * 60);
    out.offset_seconds = sign == '-' ? -offset : offset;
    at += 6;
  }
  out.zoned = true;
  return digits.wrong == 0 ? at : 0;
}

// What may follow a zone's name: the rest of the message.
bool ends_word(std::string_view rest) {
  return rest.empty() || rest.front() == ' ' || rest.front() == ':';
}

// " UTC", " +01:00", " CEST:". An unknown word is one only before Cisco's ": %".
void read_zone_word(TimeCursor& at, SyslogStamp& out, std::uint32_t& flags) {
  if (at.rest.size() < 2 || at.rest.front() != ' ') return;
  TimeCursor tried{at.rest.substr(1)};
  if ((tried.rest.front() == '+' || tried.rest.front() == '-') && tried.zone(out.offset_seconds) &&
      ends_word(tried.rest)) {
    out.zoned = true;
    at = tried;
    return;
  }
  tried.rest = at.rest.substr(1);
  std::size_t size = 0;
  while (size < tried.rest.size() && size < 6 && tried.rest[size] >= 'A' && tried.rest[size] <= 'Z')
    ++size;
  const std::string_view word = tried.rest.substr(0, size);
  tried.rest.remove_prefix(size);
  if (size == 0 || !ends_word(tried.rest)) return;
  for (const auto& [name, hours] : kZones) {
    if (word != name) continue;
    out.zoned = true;
    out.offset_seconds = hours * 3600;
    at = tried;
    return;
  }
  if (!tried.rest.starts_with(": %")) return;
  flags |= kSyslogUnknownZone;
  at = tried;
}

}  // namespace

std::size_t read_date(std::string_view text, SyslogStamp& out) {
  constexpr std::size_t kSize = 10;
  if (text.size() < kSize || text[4] != '-' || text[7] != '-') return 0;
  Digits digits{text.data()};
  out.year = digits.two(0) * 100 + digits.two(2);
  out.month = digits.two(5);
  out.day = digits.two(8);
  return digits.wrong == 0 ? kSize : 0;
}

std::size_t read_clock(std::string_view text, SyslogStamp& out) {
  TimeCursor at{text};
  return clock_of(at, out) ? read_so_far(at, text) : 0;
}

std::size_t read_iso_stamp(std::string_view text, SyslogStamp& out) {
  if (text.size() < 19 || text[4] != '-' || text[13] != ':') return 0;
  out = {};
  if (const std::size_t size = read_strict_stamp(text, out); size != 0) return size;
  out = {};
  if (read_date(text, out) == 0) return 0;
  TimeCursor at{text.substr(10)};
  if (!at.eat('T')) {
    if (!at.eat('t') && !at.eat(' ')) return 0;
    out.loose = true;
  }
  if (!clock_of(at, out)) return 0;
  if (at.rest.starts_with('z')) out.loose = true;
  TimeCursor zone = at;
  if (zone.zone(out.offset_seconds)) {
    const std::size_t size = at.rest.size() - zone.rest.size();
    out.loose = out.loose || (size != 1 && size != 6);
    out.zoned = true;
    at = zone;
  }
  return read_so_far(at, text);
}

std::size_t read_bsd_stamp(std::string_view text, SyslogStamp& out, std::uint32_t& flags) {
  if (text.size() < 14) return 0;
  out = {};
  TimeCursor at{text};
  if (at_weekday(text)) {
    at.rest.remove_prefix(4);
    at.eat(' ');
  }
  const bool led = is_digit(at.rest.front()) && read_year(at, out);
  out.month = month_of(at.rest);
  if (out.month == 0 || at.rest.size() < 4 || at.rest[3] != ' ') return 0;
  at.rest.remove_prefix(4);
  at.eat(' ');
  if (!at.number(1, 2, out.day) || !at.eat(' ')) return 0;
  if (!led) read_year(at, out);
  if (!clock_of(at, out)) return 0;
  std::uint32_t found = 0;
  if (out.year == 0 && at.rest.starts_with(" 20")) {
    TimeCursor behind{at.rest.substr(1)};
    if (read_year(behind, out)) at.rest.remove_prefix(5);
  }
  read_zone_word(at, out, found);
  // A longer number or word is no stamp.
  if (!at.rest.empty() && (is_digit(at.rest.front()) || is_letter(at.rest.front()))) return 0;
  flags |= found;
  return read_so_far(at, text);
}

bool SyslogClock::seconds_of(const SyslogStamp& stamp, std::int64_t year, std::int64_t& seconds) {
  if (stamp.hour > 23 || stamp.minute > 59 || stamp.second > 60) return false;
  const std::int64_t date = (year * 128 + stamp.month) * 128 + stamp.day;
  if (date != parser_.date_) {
    const auto begin = to_unix({year, stamp.month, stamp.day, 0, 0, 0, 0});
    if (!begin || year < 1) return false;
    parser_.date_ = date;
    parser_.date_seconds_ = *begin;
  }
  const std::int64_t local =
      parser_.date_seconds_ + stamp.hour * 3600 + stamp.minute * 60 + stamp.second;
  seconds = local - stamp.offset_seconds;
  if (stamp.zoned || parser_.utc_) return true;
  // Offsets change at the full hour, or half of one: two stamps of a quarter have the same.
  const std::int64_t quarter = floor_div(local, kQuarter);
  if (quarter != parser_.quarter_) {
    const auto moment = expr::unix_of_local(local, parser_.zone_);
    if (!moment) return false;
    parser_.quarter_ = quarter;
    parser_.offset_ = local - *moment;
  }
  seconds = local - parser_.offset_;
  return true;
}

bool SyslogClock::guess_year(const SyslogStamp& stamp, std::int64_t& seconds) {
  if (arrival_.micros == 0) return false;
  const std::int64_t now = floor_div(arrival_.micros, kMicrosPerSecond);
  if (now < parser_.year_begin_ || now >= parser_.year_end_) {
    parser_.year_ = civil_from_days(floor_div(now, kDay)).year;
    parser_.year_begin_ = days_from_civil(parser_.year_, 1, 1) * kDay;
    parser_.year_end_ = days_from_civil(parser_.year_ + 1, 1, 1) * kDay;
  }
  // A day, and what a zone may be ahead: earlier than that nothing can be of next year.
  const bool near_end = now + 2 * kDay >= parser_.year_end_;
  for (std::int64_t y = parser_.year_ + (near_end ? 1 : 0); y >= parser_.year_ - 1; --y) {
    if (seconds_of(stamp, y, seconds) && seconds <= now + kDay) return true;
  }
  return false;
}

void SyslogClock::settle(const SyslogStamp& stamp, SyslogMessage& m) {
  std::int64_t seconds = 0;
  if (stamp.year != 0) {
    if (seconds_of(stamp, stamp.year, seconds)) return settle_unix(seconds, stamp.nanos, m);
  } else if (guess_year(stamp, seconds)) {
    m.flags |= kSyslogYearGuessed;
    return settle_unix(seconds, stamp.nanos, m);
  }
  m.flags |= kSyslogBadTime;
}

void SyslogClock::settle_unix(std::int64_t seconds, std::uint32_t nanos, SyslogMessage& m) {
  const std::int64_t micros = seconds * kMicrosPerSecond + nanos / 1000;
  if (!in_calendar(micros)) {
    m.flags |= kSyslogBadTime;
    return;
  }
  m.time = {micros};
  m.nanos = nanos % 1000;
  m.has_time = true;
}

}  // namespace streamd
