// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/time_text.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <iterator>
#include <limits>

namespace streamd::expr {
namespace {

__extension__ using Int128 = __int128;

bool digit(char c) { return c >= '0' && c <= '9'; }

bool take_digits(std::string_view& text, std::size_t count, int& into) {
  if (text.size() < count) return false;
  into = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!digit(text[i])) return false;
    into = into * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, std::int64_t& nanos) {
  nanos = 0;
  if (!take(text, '.')) return true;
  std::int64_t unit = 100'000'000;
  if (text.empty() || !digit(text.front())) return false;
  for (; !text.empty() && digit(text.front()); text.remove_prefix(1)) {
    nanos += (text.front() - '0') * unit;
    unit /= 10;
  }
  return true;
}

// [+-]hh:mm, the sign may be left out. Seconds.
std::optional<int> parse_offset(std::string_view text) {
  const bool minus = take(text, '-');
  if (!minus) take(text, '+');
  int hours = 0, minutes = 0;
  if (!take_digits(text, 2, hours) || !take(text, ':') || !take_digits(text, 2, minutes) ||
      !text.empty() || hours > 23 || minutes > 59)
    return std::nullopt;
  const int seconds = hours * 3600 + minutes * 60;
  return minus ? -seconds : seconds;
}

std::optional<absl::TimeZone> find_zone(std::string_view name) {
  if (name.empty()) return std::nullopt;
  if (const auto offset = parse_offset(name)) return absl::FixedTimeZone(*offset);
  // No paths: names come from records too.
  if (name.front() == '/' || name.find("..") != std::string_view::npos ||
      name.find('\0') != std::string_view::npos || name.size() > 64)
    return std::nullopt;
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(std::string(name), &zone)) return std::nullopt;
  return zone;
}

// Records of one batch nearly always ask for the same zone.
std::optional<absl::TimeZone> cached_zone(std::string_view name) {
  thread_local std::string last;
  thread_local std::optional<absl::TimeZone> zone;
  if (name != last || name.empty()) {
    zone = find_zone(name);
    last = name;
  }
  return zone;
}

struct Unit {
  std::string_view name;
  std::int64_t nanos;
};
constexpr Unit kUnits[] = {{"ns", 1},
                           {"us", 1'000},
                           {"\xC2\xB5s", 1'000},
                           {"ms", 1'000'000},
                           {"s", 1'000'000'000},
                           {"m", 60'000'000'000},
                           {"h", 3'600'000'000'000}};

}  // namespace

std::optional<Value> parse_timestamp(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) ||
      !take(text, '-') || !take_digits(text, 2, day) || !(take(text, 'T') || take(text, 't')) ||
      !take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute) ||
      !take(text, ':') || !take_digits(text, 2, second))
    return std::nullopt;
  std::int64_t nanos = 0;
  if (!take_fraction(text, nanos)) return std::nullopt;
  int offset = 0;
  if (!(text == "Z" || text == "z")) {
    if (text.empty() || digit(text.front())) return std::nullopt;
    const auto parsed = parse_offset(text);
    if (!parsed) return std::nullopt;
    offset = *parsed;
  }
  const absl::CivilDay date(year, month, day);
  if (date.year() != year || date.month() != month || date.day() != day) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t days = date - absl::CivilDay(1970, 1, 1);
  const std::int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset;
  const EventTime t{seconds * 1'000'000 + nanos / 1000};
  if (t < kMinTimestamp || t > kMaxTimestamp) return std::nullopt;
  return Value::timestamp(t, static_cast<std::uint32_t>(nanos % 1000));
}

void append_timestamp(EventTime t, std::uint32_t nanos, std::string& out) {
  std::int64_t seconds = t.micros / 1'000'000;
  std::int64_t rest = t.micros % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  const absl::CivilSecond at = absl::CivilSecond(1970, 1, 1) + seconds;
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year(),
                 at.month(), at.day(), at.hour(), at.minute(), at.second());
  const std::int64_t fraction = rest * 1000 + nanos;
  if (fraction > 0) {
    std::string digits = fmt::format("{:09}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    out += '.';
    out += digits;
  }
  out += 'Z';
}

std::optional<std::int64_t> parse_nanos(std::string_view text) {
  const bool minus = take(text, '-');
  if (!minus) take(text, '+');
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  Int128 total = 0;
  const Int128 limit = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
  while (!text.empty()) {
    Int128 whole = 0;
    bool any = false;
    for (; !text.empty() && digit(text.front()); text.remove_prefix(1)) {
      whole = whole * 10 + (text.front() - '0');
      any = true;
      if (whole > limit) return std::nullopt;
    }
    Int128 part = 0, scale = 1;
    if (take(text, '.')) {
      for (; !text.empty() && digit(text.front()); text.remove_prefix(1)) {
        any = true;
        if (scale >= 1'000'000'000'000'000) continue;
        part = part * 10 + (text.front() - '0');
        scale *= 10;
      }
    }
    if (!any) return std::nullopt;
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits)
      if (text.substr(0, candidate.name.size()) == candidate.name &&
          (unit == nullptr || candidate.name.size() > unit->name.size()))
        unit = &candidate;
    if (unit == nullptr) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += whole * unit->nanos + part * unit->nanos / scale;
    if (total > limit) return std::nullopt;
  }
  if (minus) total = -total;
  if (total >= limit) return std::nullopt;
  return static_cast<std::int64_t>(total);
}

void append_nanos(std::int64_t nanos, std::string& out) {
  if (nanos < 0) out += '-';
  const std::uint64_t magnitude =
      nanos < 0 ? ~static_cast<std::uint64_t>(nanos) + 1 : static_cast<std::uint64_t>(nanos);
  out += std::to_string(magnitude / 1'000'000'000);
  if (const std::uint64_t rest = magnitude % 1'000'000'000; rest > 0) {
    std::string digits = fmt::format("{:09}", rest);
    digits.erase(digits.find_last_not_of('0') + 1);
    out += '.';
    out += digits;
  }
  out += 's';
}

std::optional<CivilTime> civil_time(EventTime t, std::string_view zone_name) {
  absl::TimeZone zone;
  if (zone_name != "UTC") {
    const auto found = cached_zone(zone_name);
    if (!found) return std::nullopt;
    zone = *found;
  }
  const absl::CivilSecond at = zone.At(absl::FromUnixMicros(t.micros)).cs;
  CivilTime out;
  out.year = at.year();
  out.month = at.month();
  out.day = at.day();
  out.hour = at.hour();
  out.minute = at.minute();
  out.second = at.second();
  const absl::CivilDay day(at);
  out.weekday = (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;
  out.yearday = absl::GetYearDay(day);
  return out;
}

std::optional<std::int64_t> unix_of_local(std::int64_t local_seconds, std::string_view zone_name) {
  if (zone_name == "UTC") return local_seconds;
  const auto zone = cached_zone(zone_name);
  if (!zone) return std::nullopt;
  const absl::CivilSecond local = absl::CivilSecond(1970, 1, 1) + local_seconds;
  return absl::ToUnixSeconds(zone->At(local).pre);
}

}  // namespace streamd::expr
