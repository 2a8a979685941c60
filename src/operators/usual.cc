// SPDX-License-Identifier: Apache-2.0
#include "operators/usual.h"

#include "engine/core/time.h"
#include "operators/window/varint.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace streamd {
namespace {

void put_double(double value, std::string& out) {
  window::put_varint(out, std::bit_cast<std::uint64_t>(value));
}

bool take_double(std::string_view& in, double& value) {
  std::uint64_t bits = 0;
  if (!window::take_varint(in, bits)) return false;
  value = std::bit_cast<double>(bits);
  return true;
}

}  // namespace

void Usual::add(std::int64_t time, double value, std::int64_t half_life) {
  double weight = weight_;
  if (samples_ > 0 && time > newest_) {
    const auto passed = static_cast<double>(saturating_sub(time, newest_));
    weight *= std::exp2(-passed / static_cast<double>(half_life));
  }
  weight += 1;
  const double share = 1 / weight;
  const double apart = value - mean_;
  const double mean = mean_ + share * apart;
  const double variance = (1 - share) * (variance_ + share * apart * apart);
  if (!std::isfinite(mean) || !std::isfinite(variance)) return;
  newest_ = samples_ == 0 ? time : std::max(newest_, time);
  ++samples_;
  weight_ = weight;
  mean_ = mean;
  variance_ = variance;
}

Centre Usual::centre() const { return {mean_, std::sqrt(variance_)}; }

void Usual::encode(std::string& out) const {
  window::put_varint(out, samples_);
  if (samples_ == 0) return;
  window::put_signed(out, newest_);
  put_double(weight_, out);
  put_double(mean_, out);
  put_double(variance_, out);
}

bool Usual::decode(std::string_view& in) {
  if (!window::take_varint(in, samples_)) return false;
  if (samples_ == 0) return true;
  if (!window::take_signed(in, newest_) || !take_double(in, weight_) || !take_double(in, mean_) ||
      !take_double(in, variance_))
    return false;
  // Earlier versions added what overflows: nothing is known of such a key any more.
  if (!std::isfinite(mean_) || !std::isfinite(variance_)) {
    *this = Usual();
    return true;
  }
  return std::isfinite(weight_) && weight_ >= 1 && variance_ >= 0;
}

}  // namespace streamd
