// SPDX-License-Identifier: Apache-2.0
// Usual: the mean and spread of a value that changes over time, where what is old counts less: half
// as much after each half-life of event time. 40 bytes, no memory of single values. One thread.
#pragma once

#include "operators/value_window.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace streamd {

class Usual {
 public:
  // A finite value. One that is older than the newest counts as if it came with that. No effect
  // where mean or variance would be beyond the range of a double.
  void add(std::int64_t time, double value, std::int64_t half_life);
  std::uint64_t samples() const { return samples_; }
  // The weighted mean and standard deviation. Needs one sample.
  Centre centre() const;

  void encode(std::string& out) const;
  bool decode(std::string_view& in);

 private:
  std::uint64_t samples_ = 0;
  std::int64_t newest_ = INT64_MIN;
  double weight_ = 0;  // of all samples together
  double mean_ = 0, variance_ = 0;
};

}  // namespace streamd
