// SPDX-License-Identifier: Apache-2.0
// Backoff: how long to wait before something that failed is tried again. The waits grow by a
// factor up to a cap and are spread at random, so that many clients of a service that comes back do
// not come back as one. Neither clock nor dice of its own: the caller hands in both. One thread.
//
//   Backoff backoff(BackoffLimits{}, random_dice(seed));
//   …failed:    backoff.failed(clock.monotonic(), response.retry_after);
//   …each turn: if (backoff.due(clock.monotonic())) try_again();
//   …worked:    backoff.succeeded();
#pragma once

#include "engine/core/time.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

namespace streamd {

struct BackoffLimits {
  Duration first = Duration::from_millis(500);
  Duration cap = Duration::from_seconds(30);
  double factor = 2;  // at least 1
  // The longest time that a service may ask for: a wrong header shall not silence us for a year.
  Duration longest_asked = Duration::from_seconds(3600);
};

// A number of [0, 1) with each call.
using Dice = std::function<double()>;
// Dice for production, seeded by the caller (tests: any constant).
Dice random_dice(std::uint64_t seed);

class Backoff {
 public:
  Backoff(BackoffLimits limits, Dice dice) : limits_(limits), dice_(std::move(dice)) {}

  // An attempt failed at monotonic time `now`; returns the wait until the next one: between half
  // and all of the current step. `asked`: the far side's own wish (Retry-After); the wait is never
  // shorter than that, and up to a tenth longer.
  Duration failed(Duration now, std::optional<Duration> asked = {});
  // The next attempt starts from the first step again and is due at once.
  void succeeded();

  bool due(Duration now) const { return now >= due_at_; }
  // 0 when it is due.
  Duration wait(Duration now) const { return due(now) ? Duration{} : due_at_ - now; }
  // Failures since the last success.
  std::uint32_t failures() const { return failures_; }

 private:
  BackoffLimits limits_;
  Dice dice_;
  Duration step_{};
  Duration due_at_{std::numeric_limits<std::int64_t>::min()};
  std::uint32_t failures_ = 0;
};

}  // namespace streamd
