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
  return std::isfinite(value);
}

}  // namespace

void Usual::add(std::int64_t time, double value, std::int64_t half_life) {
  if (samples_ > 0 && time > newest_) {
    const auto passed = static_cast<double>(saturating_sub(time, newest_));
    weight_ *= std::exp2(-passed / static_cast<double>(half_life));
  }
  newest_ = samples_ == 0 ? time : std::max(newest_, time);
  ++samples_;
  weight_ += 1;
  const double share = 1 / weight_;
  const double apart = value - mean_;
  mean_ += share * apart;
  variance_ = (1 - share) * (variance_ + share * apart * apart);
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
  return window::take_signed(in, newest_) && take_double(in, weight_) && take_double(in, mean_) &&
         take_double(in, variance_) && weight_ >= 1 && variance_ >= 0;
}

}  // namespace streamd
