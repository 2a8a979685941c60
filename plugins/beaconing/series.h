// SPDX-License-Identifier: Apache-2.0
// The calls of one client to one destination. Of intervals the latest ones are kept, and judged by
// their median: one missed call or one long pause does not move it, as it would move a mean.
#pragma once

#include <streamd/plugin.hpp>

#include <algorithm>
#include <array>

namespace beaconing {

struct Verdict {
  double interval = 0;  // median, seconds
  double spread = 0;    // median distance from it, as a part of it: jitter of ±20% gives 0.1
  double regular = 0;   // share of the intervals that are within half of it
};

// Stored as it is: trivially copyable.
struct Series {
  static constexpr std::uint32_t kKept = 32;

  sd::Time first{}, last{};
  std::int64_t calls = 0;
  std::array<float, kKept> intervals{};  // seconds, a ring
  std::uint32_t filled = 0, next = 0;
  std::int64_t told = 0;  // 1: it was called regular

  // Calls closer to the last one than `apart` are part of it; those that come late are ignored.
  bool add(sd::Time time, sd::Duration apart) {
    if (calls > 0 && time < last + apart) return false;
    if (calls == 0) {
      first = time;
    } else {
      intervals[next] = std::chrono::duration<float>(time - last).count();
      next = (next + 1) % kKept;
      filled = std::min(filled + 1, kKept);
    }
    last = time;
    ++calls;
    return true;
  }

  Verdict judge() const {
    if (filled == 0) return {};
    std::array<float, kKept> sorted = intervals;
    Verdict verdict;
    verdict.interval = median(sorted);
    if (verdict.interval <= 0) return {};
    std::array<float, kKept> away{};
    int regular = 0;
    for (std::uint32_t i = 0; i < filled; ++i) {
      away[i] = std::abs(intervals[i] - static_cast<float>(verdict.interval));
      regular += away[i] <= verdict.interval / 2;
    }
    verdict.spread = median(away) / verdict.interval;
    verdict.regular = static_cast<double>(regular) / filled;
    return verdict;
  }

 private:
  float median(std::array<float, kKept>& values) const {
    const auto middle = values.begin() + filled / 2;
    std::nth_element(values.begin(), middle, values.begin() + filled);
    return *middle;
  }
};

}  // namespace beaconing
