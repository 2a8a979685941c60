// SPDX-License-Identifier: Apache-2.0
// Assigner: which windows a time belongs to. A value made from the configuration; the kinds of
// windows differ in it and nowhere else. Times are microseconds.
//
// Tumbling and sliding windows end at every multiple of `every`, counted from 1970, and hold the
// times [end - size, end). The pane, gcd(size, every), is the largest slice that no window cuts.
#pragma once

#include <cstdint>
#include <numeric>

namespace streamd::window {

// A record's time must lie within ±kTimeLimit (about ±73,000 years); sizes are below kSizeLimit.
// Sums of the two then never overflow.
inline constexpr std::int64_t kTimeLimit = std::int64_t{1} << 61;
inline constexpr std::int64_t kSizeLimit = std::int64_t{1} << 58;

struct Assigner {
  std::int64_t size = 0;
  std::int64_t every = 0;
  std::int64_t pane = 0;
  // Sessions: size, every and pane are 0.
  std::int64_t gap = 0;
  std::int64_t max = 0;

  static Assigner sliding(std::int64_t size, std::int64_t every) {
    return {size, every, std::gcd(size, every), 0, 0};
  }
  static Assigner session(std::int64_t gap, std::int64_t max) { return {0, 0, 0, gap, max}; }

  bool is_session() const { return gap > 0; }
  std::int64_t pane_start(std::int64_t t) const { return align(t, pane); }
  // The last window end at or before t.
  std::int64_t end_until(std::int64_t t) const { return align(t, every); }
  // The first window end after t.
  std::int64_t end_after(std::int64_t t) const { return align(t, every) + every; }

  static std::int64_t align(std::int64_t t, std::int64_t width) {
    const std::int64_t rest = t % width;
    return t - (rest < 0 ? rest + width : rest);
  }
};

}  // namespace streamd::window
