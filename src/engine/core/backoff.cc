// SPDX-License-Identifier: Apache-2.0
#include "engine/core/backoff.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <random>

namespace streamd {
namespace {

Duration scaled(Duration d, double by) {
  const double micros = static_cast<double>(d.micros) * by;
  if (micros >= 9e18) return {std::numeric_limits<std::int64_t>::max()};
  return {static_cast<std::int64_t>(micros)};
}

}  // namespace

Dice random_dice(std::uint64_t seed) {
  const auto engine = std::make_shared<std::mt19937_64>(seed);
  return [engine] { return static_cast<double>((*engine)() >> 11) * 0x1.0p-53; };
}

Duration Backoff::failed(Duration now, std::optional<Duration> asked) {
  step_ = failures_ == 0 ? limits_.first : scaled(step_, std::max(1.0, limits_.factor));
  step_ = std::min(step_, limits_.cap);
  if (failures_ < std::numeric_limits<std::uint32_t>::max()) ++failures_;
  Duration wait = scaled(step_, 0.5 + dice_() / 2);
  if (asked) {
    const Duration wish = std::clamp(*asked, Duration{}, limits_.longest_asked);
    wait = std::max(wait, wish + scaled(wish, dice_() / 10));
  }
  due_at_ = now + wait;
  return wait;
}

void Backoff::succeeded() {
  failures_ = 0;
  step_ = {};
  due_at_ = {std::numeric_limits<std::int64_t>::min()};
}

}  // namespace streamd
