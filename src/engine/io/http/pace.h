// SPDX-License-Identifier: Apache-2.0
// Pace: when the next of many things may begin, so that no more than some number begin in a second.
// Pure; no clock of its own. One thread at a time.
#pragma once

#include "engine/core/time.h"

#include <algorithm>
#include <limits>

namespace streamd::http {

class Pace {
 public:
  // 0: at any time.
  explicit Pace(double per_second)
      : gap_(per_second > 0 ? Duration{static_cast<std::int64_t>(std::max(1e6 / per_second, 1.0))}
                            : Duration{}) {}

  // 0: one may begin at `now`.
  Duration wait(Duration now) const { return now < next_ ? next_ - now : Duration{}; }
  // One has begun. Gaps so short that a thread can't keep to them may be made up for.
  void begun(Duration now) {
    if (gap_ == Duration{}) return;
    const Duration behind = gap_ < kShort ? kShort : Duration{};
    next_ = std::max(next_, now - behind) + gap_;
  }

 private:
  static constexpr Duration kShort = Duration::from_millis(20);
  const Duration gap_;
  Duration next_{std::numeric_limits<std::int64_t>::min()};
};

}  // namespace streamd::http
