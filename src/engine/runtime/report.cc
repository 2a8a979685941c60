// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/report.h"

#include "engine/codec/time_format.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

// 12345678 -> "12.3 M"
std::string short_count(double n) {
  if (n >= 1e9) return fmt::format("{:.1f} G", n / 1e9);
  if (n >= 1e6) return fmt::format("{:.1f} M", n / 1e6);
  if (n >= 1e4) return fmt::format("{:.0f} k", n / 1e3);
  return fmt::format("{:.0f}", n);
}

// 1234567 -> "1 234 567"
std::string grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, " ");
  return digits;
}

std::string clock_text(std::int64_t micros) {
  std::string text;
  format_rfc3339({micros - micros % 1'000'000}, 0, text);
  return text;
}

std::string seconds_text(std::int64_t micros) {
  if (micros < 10'000'000) return fmt::format("{:.1f} s", static_cast<double>(micros) / 1e6);
  return fmt::format("{} s", micros / 1'000'000);
}

struct Sums {
  std::uint64_t read = 0, keys = 0, results = 0, dead = 0;
  std::int64_t newest = INT64_MIN, watermark = INT64_MAX;
};

Sums sums(const Progress& p) {
  Sums s;
  for (const auto& n : p.nodes) {
    if (n.kind == NodeTotals::Kind::source) {
      s.read += n.in;
      s.newest = std::max(s.newest, n.newest);
      s.watermark = std::min(s.watermark, n.watermark);
    }
    if (n.makes_results) s.results += n.out;
    s.keys += n.keys;
    s.dead += n.dead_letters + n.failed;
  }
  return s;
}

}  // namespace

std::string progress_line(const Progress& before, const Progress& now) {
  const Sums then = sums(before), s = sums(now);
  const double seconds =
      std::max(1e-3, static_cast<double>(now.running.micros - before.running.micros) / 1e6);
  std::string line = fmt::format("{} records  {}/s", short_count(static_cast<double>(s.read)),
                                 short_count(static_cast<double>(s.read - then.read) / seconds));
  if (s.newest != INT64_MIN) line += "  event time " + clock_text(s.newest);
  if (s.newest != INT64_MIN && s.watermark > INT64_MIN && s.watermark <= s.newest)
    line += "  lag " + seconds_text(s.newest - s.watermark);
  line += fmt::format("  keys {}  results {}", short_count(static_cast<double>(s.keys)),
                      short_count(static_cast<double>(s.results)));
  if (s.dead > 0)
    line += fmt::format("  dead letters {}", short_count(static_cast<double>(s.dead)));
  return line;
}

std::string final_table(const Progress& progress) {
  std::size_t name_width = 4, type_width = 4;
  for (const auto& n : progress.nodes) {
    name_width = std::max(name_width, n.name.size());
    type_width = std::max(type_width, n.type.size());
  }
  std::string table = fmt::format("{:<{}}  {:<{}}  {:>14}  {:>14}  {}\n", "node", name_width,
                                  "type", type_width, "in", "out", "left out");
  for (const auto& n : progress.nodes) {
    std::string left;
    const auto add = [&left](std::string_view what, std::uint64_t count) {
      if (count > 0) left += fmt::format("{}{} {}", left.empty() ? "" : ", ", what, grouped(count));
    };
    for (std::size_t r = 0; r < kDropReasons; ++r) add(kDropReasonNames[r], n.dropped[r]);
    add("dead letters", n.dead_letters);
    add("failed results", n.failed);
    add("times clamped", n.clamped);
    if (!n.balanced())
      left += fmt::format("{}{}", left.empty() ? "" : ", ",
                          progress.cut_short ? "the rest was on its way" : "BOOKS DO NOT BALANCE");
    table += fmt::format("{:<{}}  {:<{}}  {:>14}  {:>14}  {}\n", n.name, name_width, n.type,
                         type_width, grouped(n.in), grouped(n.out), left.empty() ? "-" : left);
  }
  return table;
}

}  // namespace streamd
