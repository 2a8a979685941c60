// SPDX-License-Identifier: Apache-2.0
// Event time and durations. Event time comes from data only: there is no EventTime::now(), so code
// that wants the wall clock has to be handed a Clock (clock.h) and the compiler keeps both apart.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace streamd {

// A span of time in microseconds. Saturates instead of overflowing.
struct Duration {
  std::int64_t micros = 0;
  static constexpr Duration from_millis(std::int64_t ms) { return {ms * 1000}; }
  static constexpr Duration from_seconds(std::int64_t s) { return {s * 1'000'000}; }
  constexpr auto operator<=>(const Duration&) const = default;
};

// Microseconds since 1970-01-01T00:00:00Z (leap seconds do not exist, as in POSIX time).
struct EventTime {
  std::int64_t micros = 0;
  static constexpr EventTime min() { return {std::numeric_limits<std::int64_t>::min()}; }
  static constexpr EventTime max() { return {std::numeric_limits<std::int64_t>::max()}; }
  constexpr auto operator<=>(const EventTime&) const = default;
};

constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}
constexpr std::int64_t saturating_sub(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}
// EventTime::min() and max() mean "before everything" and "after everything": they absorb.
constexpr EventTime operator+(EventTime t, Duration d) {
  if (t == EventTime::min() || t == EventTime::max()) return t;
  return {saturating_add(t.micros, d.micros)};
}
constexpr EventTime operator-(EventTime t, Duration d) {
  if (t == EventTime::min() || t == EventTime::max()) return t;
  return {saturating_sub(t.micros, d.micros)};
}
constexpr Duration operator+(Duration a, Duration b) {
  return {saturating_add(a.micros, b.micros)};
}
constexpr Duration operator-(Duration a, Duration b) {
  return {saturating_sub(a.micros, b.micros)};
}
constexpr Duration operator-(EventTime a, EventTime b) {
  return {saturating_sub(a.micros, b.micros)};
}

// Start of the aligned slice of `width` that holds t; rounds towards the past for negative times.
constexpr EventTime slice_start(EventTime t, Duration width) {
  const std::int64_t rest = t.micros % width.micros;
  return {saturating_sub(t.micros, rest < 0 ? rest + width.micros : rest)};
}

}  // namespace streamd
