// SPDX-License-Identifier: Apache-2.0
// Durations and sizes as people write them.
#include "engine/api/field_type.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace streamd {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 6> kTime = {{{"d", 86'400'000'000},
                                        {"h", 3'600'000'000},
                                        {"m", 60'000'000},
                                        {"s", 1'000'000},
                                        {"ms", 1'000},
                                        {"us", 1}}};

constexpr std::uint64_t kKi = 1024;
constexpr std::array<Unit, 10> kSize = {{{"", 1},
                                         {"B", 1},
                                         {"KiB", kKi},
                                         {"MiB", kKi* kKi},
                                         {"GiB", kKi* kKi* kKi},
                                         {"TiB", kKi* kKi* kKi* kKi},
                                         {"KB", 1'000},
                                         {"MB", 1'000'000},
                                         {"GB", 1'000'000'000},
                                         {"TB", 1'000'000'000'000}}};
constexpr std::size_t kFirstKi = 2, kLastKi = 5;

// Takes a number and then letters off the front of `text`.
bool take_quantity(std::string_view& text, std::uint64_t& number, std::string_view& unit) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  std::size_t letters = 0;
  while (letters < text.size() && (text[letters] < '0' || text[letters] > '9')) ++letters;
  unit = text.substr(0, letters);
  text.remove_prefix(letters);
  return true;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // units go from large to small, each at most once
  while (!text.empty()) {
    std::uint64_t number = 0;
    std::string_view name;
    if (!take_quantity(text, number, name)) return std::nullopt;
    while (next_unit < kTime.size() && kTime[next_unit].name != name) ++next_unit;
    if (next_unit == kTime.size()) return std::nullopt;
    std::int64_t part = 0;
    if (__builtin_mul_overflow(number, kTime[next_unit].factor, &part) ||
        __builtin_add_overflow(total, part, &total))
      return std::nullopt;
    ++next_unit;
  }
  return Duration{total};
}

std::string format_duration(Duration d) {
  if (d.micros == 0) return "0s";
  std::uint64_t rest = static_cast<std::uint64_t>(d.micros);
  const std::string sign = d.micros < 0 ? "-" : "";
  if (d.micros < 0) rest = 0 - rest;
  std::string in_one_unit, in_parts;
  for (const auto& unit : kTime) {
    const std::uint64_t whole = d.micros < 0 ? 0 - static_cast<std::uint64_t>(d.micros)
                                             : static_cast<std::uint64_t>(d.micros);
    if (in_one_unit.empty() && whole % unit.factor == 0)
      in_one_unit = std::to_string(whole / unit.factor) + std::string(unit.name);
    if (rest >= unit.factor) {
      in_parts += std::to_string(rest / unit.factor) + std::string(unit.name);
      rest %= unit.factor;
    }
  }
  return sign + (in_one_unit.size() <= in_parts.size() ? in_one_unit : in_parts);
}

std::optional<ByteSize> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  std::string_view name;
  if (!take_quantity(text, number, name) || !text.empty()) return std::nullopt;
  for (const auto& unit : kSize) {
    if (unit.name != name) continue;
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(number, unit.factor, &bytes)) return std::nullopt;
    return ByteSize{bytes};
  }
  return std::nullopt;
}

std::string format_size(ByteSize s) {
  std::string best = std::to_string(s.bytes);
  if (s.bytes == 0) return best;
  for (const auto& unit : kSize) {
    if (unit.factor == 1 || s.bytes % unit.factor != 0) continue;
    const std::string text = std::to_string(s.bytes / unit.factor) + std::string(unit.name);
    if (text.size() <= best.size()) best = text;
  }
  return best;
}

std::string readable_size(std::uint64_t bytes) {
  if (bytes < kKi) return fmt::format("{} bytes", bytes);
  const Unit* unit = &kSize[kFirstKi];
  while (unit != &kSize[kLastKi] && bytes / unit->factor >= kKi) ++unit;
  const double value = static_cast<double>(bytes) / static_cast<double>(unit->factor);
  const bool fraction = value < 10 && bytes % unit->factor != 0;
  return fmt::format("{:.{}f} {}", value, fraction ? 1 : 0, unit->name);
}

}  // namespace streamd
