// SPDX-License-Identifier: Apache-2.0
// ValueWindow: the newest numbers of one key inside a sliding window of event time, and the fences
// that they put around what is usual. Exact over what it holds. Numbers are finite. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

struct Fence {
  double low = 0, high = 0;
};
// What is usual, and how far from it values usually are.
struct Centre {
  double middle = 0, spread = 0;
};

class ValueWindow {
 public:
  // Lets the window end at `time` if that is newer, and forgets what is outside of it then.
  void advance(std::int64_t time, std::int64_t length);
  // No effect on a time before the window. The oldest beyond `most` values are forgotten.
  void add(std::int64_t time, double value, std::int64_t length, std::size_t most);
  std::size_t size() const { return sorted_.size(); }

  // The quartiles, and `reach` times their distance on either side. Needs two values.
  Fence quartile_fence(double reach) const;
  // The mean, and `reach` sample standard deviations on either side. Needs two values.
  Fence deviation_fence(double reach) const;

  // The median, and the median distance from it, scaled so that for values of a normal distribution
  // it is their standard deviation. Needs one value.
  Centre robust_centre() const;

  // varint n, then n times signed time after the one before, 8 bytes of double; oldest first.
  void encode(std::string& out) const;
  bool decode(std::string_view in);

 private:
  struct Sample {
    std::int64_t time;
    double value;
  };
  void forget_oldest();
  double quantile(double q) const;
  // From `middle` to the value that is nearest to it but for `rank` others.
  double distance(double middle, std::size_t rank) const;

  std::vector<Sample> samples_;  // by time, behind the first_ ones that are forgotten
  std::size_t first_ = 0;
  std::vector<double> sorted_;
};

}  // namespace streamd
