// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/time_format.h"

#include "engine/codec/calendar.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <utility>

namespace streamd {
namespace {

constexpr std::array<std::int64_t, 7> kPowers = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};

// At most 18 digits.
const char* digits_of(const char* p, const char* end, std::int64_t& value, std::size_t& count) {
  const char* const begin = p;
  value = 0;
  std::uint32_t eight = 0;
  while (end - p >= 8 && p - begin <= 8 && eight_digits(eight_bytes(p), eight)) {
    value = value * 100'000'000 + eight;
    p += 8;
  }
  while (p != end && is_digit(*p) && p - begin < 19) {
    if (p - begin < 18) value = value * 10 + (*p - '0');
    ++p;
  }
  count = static_cast<std::size_t>(p - begin);
  return p;
}

std::optional<EventTime> checked(std::int64_t micros) {
  if (!in_calendar(micros)) return std::nullopt;
  return EventTime{micros};
}

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

std::optional<EventTime> from_integer(std::int64_t units, int digits) {
  if (digits < 0) return checked(floor_div(units, 1000));
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(units, kPowers[static_cast<std::size_t>(digits)], &micros)) {
    return std::nullopt;
  }
  return checked(micros);
}

std::optional<EventTime> from_double(double units, int digits) {
  const double micros =
      digits < 0
          ? std::floor(units / 1000)
          : std::nearbyint(units * static_cast<double>(kPowers[static_cast<std::size_t>(digits)]));
  if (!(std::abs(micros) < 9e18)) return std::nullopt;
  return checked(static_cast<std::int64_t>(micros));
}

// Exact: never through a double.
std::optional<EventTime> from_text(std::string_view text, int digits) {
  const char* p = text.data();
  const char* const end = p + text.size();
  const bool negative = p != end && *p == '-';
  if (negative) ++p;
  std::int64_t whole = 0;
  std::size_t count = 0;
  p = digits_of(p, end, whole, count);
  if (count == 0 || count > (digits < 0 ? 19u : 18u)) return std::nullopt;
  if (count == 19 && (__builtin_mul_overflow(whole, std::int64_t{10}, &whole) ||
                      __builtin_add_overflow(whole, p[-1] - '0', &whole))) {
    return std::nullopt;
  }
  std::int64_t part = 0;
  bool rest = false;
  if (p != end) {
    if (*p++ != '.' || p == end) return std::nullopt;
    std::int64_t scale = digits < 0 ? 1 : kPowers[static_cast<std::size_t>(digits)];
    for (; p != end; ++p) {
      if (!is_digit(*p)) return std::nullopt;
      if (scale > 1) {
        scale /= 10;
        part += (*p - '0') * scale;
      } else {
        rest = rest || *p != '0';
      }
    }
  }
  std::int64_t micros = 0;
  if (digits < 0) {
    rest = rest || whole % 1000 != 0;
    micros = whole / 1000;
  } else if (__builtin_mul_overflow(whole, kPowers[static_cast<std::size_t>(digits)], &micros) ||
             __builtin_add_overflow(micros, part, &micros)) {
    return std::nullopt;
  }
  return checked(negative ? -micros - (rest ? 1 : 0) : micros);
}

std::optional<EventTime> read_unix(const Value& value, int digits) {
  switch (value.kind()) {
    case Kind::int64: return from_integer(value.as_int(), digits);
    case Kind::uint64:
      if (digits >= 0) return std::nullopt;
      return checked(static_cast<std::int64_t>(value.as_uint() / 1000));
    case Kind::float64: return from_double(value.as_double(), digits);
    case Kind::string: return from_text(value.text(), digits);
    default: return std::nullopt;
  }
}

// The first so many of nine digits that are not only zeros behind.
void append_fraction(std::uint32_t nanos, std::string& out) {
  if (nanos == 0) return;
  std::array<char, 10> text;
  text[0] = '.';
  for (std::size_t i = 9; i > 0; --i, nanos /= 10) text[i] = static_cast<char>('0' + nanos % 10);
  std::size_t size = text.size();
  while (text[size - 1] == '0') --size;
  out.append(text.data(), size);
}

void append_two(unsigned number, std::string& out) {
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
}

}  // namespace

bool TimeCursor::fraction(std::uint32_t& nanos) {
  std::uint32_t scale = 100'000'000;
  std::size_t i = 0;
  nanos = 0;
  for (; i < rest.size() && is_digit(rest[i]); ++i, scale /= 10) {
    nanos += static_cast<std::uint32_t>(rest[i] - '0') * scale;
  }
  rest.remove_prefix(i);
  return i > 0;
}

bool TimeCursor::zone(std::int64_t& offset_seconds) {
  if (eat('Z') || eat('z')) {
    offset_seconds = 0;
    return true;
  }
  const bool west = !rest.empty() && rest.front() == '-';
  if (!west && (rest.empty() || rest.front() != '+')) return false;
  rest.remove_prefix(1);
  unsigned hours = 0, minutes = 0;
  if (!number(2, 2, hours)) return false;
  const bool colon = eat(':');
  if ((colon || (!rest.empty() && is_digit(rest.front()))) && !number(2, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  offset_seconds = static_cast<std::int64_t>(hours * 3600 + minutes * 60) * (west ? -1 : 1);
  return true;
}

unsigned month_of(std::string_view text) {
  if (text.size() < 3) return 0;
  constexpr std::string_view kNames = "janfebmaraprmayjunjulaugsepoctnovdec";
  const auto lower = [](char c) { return static_cast<char>(c | 0x20); };
  for (unsigned m = 0; m < 12; ++m) {
    const char* const name = kNames.data() + m * 3;
    if (lower(text[0]) == name[0] && lower(text[1]) == name[1] && lower(text[2]) == name[2]) {
      return m + 1;
    }
  }
  return 0;
}

std::optional<ParsedTime> parse_rfc3339(std::string_view text) {
  TimeCursor at{text};
  CivilTime t;
  unsigned year = 0;
  std::uint32_t nanos = 0;
  if (!at.number(4, 4, year) || !at.eat('-') || !at.number(2, 2, t.month) || !at.eat('-') ||
      !at.number(2, 2, t.day) || !(at.eat('T') || at.eat('t') || at.eat(' ')) ||
      !at.number(2, 2, t.hour) || !at.eat(':') || !at.number(2, 2, t.minute) || !at.eat(':') ||
      !at.number(2, 2, t.second) || (at.eat('.') && !at.fraction(nanos)) ||
      !at.zone(t.offset_seconds) || !at.rest.empty()) {
    return std::nullopt;
  }
  t.year = year;
  const auto seconds = to_unix(t);
  if (!seconds) return std::nullopt;
  const std::int64_t micros = *seconds * kMicrosPerSecond + nanos / 1000;
  if (!in_calendar(micros)) return std::nullopt;
  return ParsedTime{{micros}, nanos % 1000};
}

std::optional<EventTime> parse_clf_time(std::string_view text) {
  TimeCursor at{text};
  CivilTime t;
  unsigned year = 0;
  if (!at.number(1, 2, t.day) || !at.eat('/')) return std::nullopt;
  t.month = month_of(at.rest);
  if (t.month == 0) return std::nullopt;
  at.rest.remove_prefix(3);
  if (!at.eat('/') || !at.number(4, 4, year) || !at.eat(':') || !at.number(1, 2, t.hour) ||
      !at.eat(':') || !at.number(1, 2, t.minute) || !at.eat(':') || !at.number(1, 2, t.second)) {
    return std::nullopt;
  }
  if (!at.rest.empty() && (!at.eat(' ') || !at.zone(t.offset_seconds) || !at.rest.empty())) {
    return std::nullopt;
  }
  t.year = year;
  const auto seconds = to_unix(t);
  return seconds ? checked(*seconds * kMicrosPerSecond) : std::nullopt;
}

Result<TimeFormat> TimeFormat::parse(std::string_view spec) {
  TimeFormat format;
  if (spec == "unix")
    format.digits_ = 6;
  else if (spec == "unix_ms")
    format.digits_ = 3;
  else if (spec == "unix_us")
    format.digits_ = 0;
  else if (spec == "unix_ns")
    format.digits_ = -3;
  else if (spec == "rfc3339")
    format.kind_ = Kind::rfc3339;
  else if (spec == "clf")
    format.kind_ = Kind::clf;
  else if (spec.find('%') != std::string_view::npos) {
    if (const auto trouble = pattern_trouble(spec)) {
      return fail(ErrorKind::config, fmt::format("time format \"{}\": {}", spec, *trouble),
                  "Patterns know %Y %y %m %b %B %d %e %j %H %M %S %f %s %z %Z %a %A %F %T %%.");
    }
    format.kind_ = Kind::pattern;
    format.pattern_ = spec;
  } else {
    return fail(ErrorKind::config, fmt::format("\"{}\" is no time format", spec),
                "Use unix, unix_ms, unix_us, unix_ns, rfc3339, clf or a pattern such as "
                "\"%Y-%m-%d %H:%M:%S\".");
  }
  return format;
}

bool TimeFormat::read_any(const Value& value, EventTime& time) const {
  const auto found = [&]() -> std::optional<EventTime> {
    if (value.is(streamd::Kind::timestamp)) return value.as_time();
    if (kind_ == Kind::unix_time) return read_unix(value, digits_);
    if (!value.is(streamd::Kind::string)) return std::nullopt;
    if (kind_ == Kind::clf) return parse_clf_time(value.text());
    if (kind_ == Kind::pattern) return parse_pattern(pattern_, value.text());
    const auto parsed = parse_rfc3339(value.text());
    return parsed ? std::optional(parsed->time) : std::nullopt;
  }();
  if (found) time = *found;
  return found.has_value();
}

void format_rfc3339(EventTime time, std::uint32_t nanos, std::string& out) {
  const std::int64_t seconds = floor_div(time.micros, kMicrosPerSecond);
  const auto micros = static_cast<std::uint32_t>(time.micros - seconds * kMicrosPerSecond);
  const std::int64_t days = floor_div(seconds, 86400);
  const auto second = static_cast<unsigned>(seconds - days * 86400);
  const CivilDay day = civil_from_days(days);
  if (day.year >= 0 && day.year <= 9999) {
    append_two(static_cast<unsigned>(day.year / 100), out);
    append_two(static_cast<unsigned>(day.year % 100), out);
  } else {
    fmt::format_to(std::back_inserter(out), "{}{:04}", day.year < 0 ? '-' : '+',
                   day.year < 0 ? -day.year : day.year);
  }
  const std::array<std::pair<char, unsigned>, 5> rest = {{{'-', day.month},
                                                          {'-', day.day},
                                                          {'T', second / 3600},
                                                          {':', second / 60 % 60},
                                                          {':', second % 60}}};
  for (const auto& [mark, number] : rest) {
    out += mark;
    append_two(number, out);
  }
  append_fraction(micros * 1000 + nanos, out);
  out += 'Z';
}

void format_unix(EventTime time, std::uint32_t nanos, std::string& out) {
  std::int64_t seconds = floor_div(time.micros, kMicrosPerSecond);
  auto part = static_cast<std::uint32_t>(time.micros - seconds * kMicrosPerSecond) * 1000 + nanos;
  if (seconds < 0 && part > 0) {
    ++seconds;
    part = 1'000'000'000 - part;
    if (seconds == 0) out += '-';
  }
  fmt::format_to(std::back_inserter(out), "{}", seconds);
  append_fraction(part, out);
}

}  // namespace streamd
