// SPDX-License-Identifier: Apache-2.0
// Parts of timestamps and durations.
#include "engine/expr/functions.h"
#include "engine/expr/scalar.h"
#include "engine/expr/time_text.h"

#include <array>

namespace streamd::expr {
namespace {

// Milliseconds of the second; microsecond times before 1970 round towards the past.
std::int64_t milliseconds(EventTime t) {
  const std::int64_t rest = t.micros % 1'000'000;
  return (rest < 0 ? rest + 1'000'000 : rest) / 1000;
}

template <class Part>
Value part_of_time(const Call& call, Part part) {
  if (!call[0].is(Kind::timestamp) || (call.count == 2 && !call[1].is(Kind::string)))
    return no_overload(call.context, call.node.function->name, call.args, call.count);
  const auto civil =
      civil_time(call[0].as_time(), call.count == 2 ? call[1].text() : std::string_view("UTC"));
  if (!civil)
    return failure(call.context, "unknown time zone \"" + std::string(call[1].text()) + "\"");
  return Value::int64(part(*civil));
}

// Hours, minutes, seconds: of a duration the total.
template <class Part>
Value part_of_either(const Call& call, std::int64_t unit_nanos, Part part) {
  if (call[0].is(Kind::duration) && call.count == 1)
    return Value::int64(call[0].as_duration_nanos() / unit_nanos);
  return part_of_time(call, part);
}

Value full_year(const Call& c) {
  return part_of_time(c, [](const CivilTime& t) { return t.year; });
}
Value month(const Call& c) {
  return part_of_time(c, [](const CivilTime& t) { return t.month - 1; });
}
Value date(const Call& c) {
  return part_of_time(c, [](const CivilTime& t) { return t.day; });
}
Value day_of_month(const Call& c) {
  return part_of_time(c, [](const CivilTime& t) { return t.day - 1; });
}
Value day_of_week(const Call& c) {
  return part_of_time(c, [](const CivilTime& t) { return t.weekday; });
}
Value day_of_year(const Call& c) {
  return part_of_time(c, [](const CivilTime& t) { return t.yearday - 1; });
}
Value hours(const Call& c) {
  return part_of_either(c, 3'600'000'000'000, [](const CivilTime& t) { return t.hour; });
}
Value minutes(const Call& c) {
  return part_of_either(c, 60'000'000'000, [](const CivilTime& t) { return t.minute; });
}
Value seconds(const Call& c) {
  return part_of_either(c, 1'000'000'000, [](const CivilTime& t) { return t.second; });
}
Value millis(const Call& c) {
  if (c[0].is(Kind::duration) && c.count == 1)
    return Value::int64(c[0].as_duration_nanos() / 1'000'000 % 1000);
  const std::int64_t ms = c[0].is(Kind::timestamp) ? milliseconds(c[0].as_time()) : 0;
  return part_of_time(c, [ms](const CivilTime&) { return ms; });
}

constexpr TypeSet kTime = set_of(Type::timestamp);
constexpr TypeSet kEither = set_of(Type::timestamp, Type::duration);

constexpr Function part(std::string_view name, TypeSet of, Kernel kernel) {
  Function function{name, CallStyle::member, 1, 2, Type::int64, {of, kText, kText}, kernel};
  function.takes_zone = true;
  return function;
}

constexpr std::array kTable = {
    part("getFullYear", kTime, full_year)
        .doc("Year, in UTC or a time zone.",
             "timestamp('2026-01-31T23:30:00Z').getFullYear() == 2026"),
    part("getMonth", kTime, month)
        .doc("Month from 0 on, in UTC or a time zone.",
             "timestamp('2026-01-31T23:30:00Z').getMonth() == 0"),
    part("getDate", kTime, date)
        .doc("Day of the month from 1 on, in UTC or a time zone.",
             "timestamp('2026-01-31T23:30:00Z').getDate() == 31"),
    part("getDayOfMonth", kTime, day_of_month)
        .doc("Day of the month from 0 on, in UTC or a time zone.",
             "timestamp('2026-01-31T23:30:00Z').getDayOfMonth() == 30"),
    part("getDayOfWeek", kTime, day_of_week)
        .doc("Day of the week, 0 is Sunday, in UTC or a time zone.",
             "timestamp('2026-01-31T23:30:00Z').getDayOfWeek() == 6"),
    part("getDayOfYear", kTime, day_of_year)
        .doc("Day of the year from 0 on, in UTC or a time zone.",
             "timestamp('2026-01-31T23:30:00Z').getDayOfYear() == 30"),
    part("getHours", kEither, hours)
        .doc("Hour of the day; of a duration all of its hours.",
             "timestamp('2026-01-31T23:30:00Z').getHours('Europe/Berlin') == 0 && "
             "duration('90m').getHours() == 1"),
    part("getMinutes", kEither, minutes)
        .doc("Minute of the hour; of a duration all of its minutes.",
             "timestamp('2026-01-31T23:30:00Z').getMinutes('+05:30') == 0 && "
             "duration('90m').getMinutes() == 90"),
    part("getSeconds", kEither, seconds)
        .doc("Second of the minute; of a duration all of its seconds.",
             "duration('1m2s').getSeconds() == 62"),
    part("getMilliseconds", kEither, millis)
        .doc("Thousandths of the second, also of a duration.",
             "duration('1.234s').getMilliseconds() == 234"),
};

}  // namespace

std::span<const Function> time_functions() { return kTable; }

}  // namespace streamd::expr
