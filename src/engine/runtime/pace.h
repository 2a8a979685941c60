// SPDX-License-Identifier: Apache-2.0
// Pace: whether a worker is so far ahead of another one in the event time of a source that it had
// better wait. Without it one file of a backlog may be read to its end while another has hardly
// begun, and all windows in between stay open. One per worker and source, that worker's thread.
//
// A worker is ahead when each of its last batches begins after the last one of another worker that
// has a backlog. It waits once for each step of the other, and not for long: who stands still,
// because its sink does, must not stop it.
#pragma once

#include "engine/core/time.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace streamd {

class Pace {
 public:
  static constexpr std::size_t kBatches = 4;
  static constexpr Duration kLongest = Duration::from_millis(100);  // of one wait

  Pace() { last_.fill(EventTime::min()); }

  // A batch was read; time: of its first record.
  void read(EventTime time) {
    last_[next_] = time;
    next_ = (next_ + 1) % kBatches;
    waits_since_.reset();
  }
  // others: the earliest of what the other workers read last, max() when none has a backlog.
  // now: monotonic.
  bool must_wait(EventTime others, Duration now) {
    const bool ahead = others != EventTime::max() && others != given_up_ &&
                       *std::min_element(last_.begin(), last_.end()) > others;
    if (!ahead) {
      waits_since_.reset();
      return false;
    }
    if (!waits_since_) waits_since_ = now;
    if (now - *waits_since_ < kLongest) return true;
    given_up_ = others;
    return false;
  }

 private:
  std::array<EventTime, kBatches> last_;
  std::size_t next_ = 0;
  std::optional<Duration> waits_since_;
  std::optional<EventTime> given_up_;  // where the others stood when a wait ended without them
};

}  // namespace streamd
