// SPDX-License-Identifier: Apache-2.0
// Trial: whether to try with the batch at hand what pays with most streams, but not with each.
// After a batch with which it did not pay it pauses, each time twice as long. One thread.
#pragma once

#include <algorithm>

namespace streamd::window {

class Trial {
 public:
  // Asked once for each batch.
  bool is_due() {
    if (pause_ == 0) return true;
    --pause_;
    return false;
  }
  // After a batch with which it was tried.
  void ended(bool paid) {
    if (!paid) pause_ = next_pause_;
    next_pause_ = paid ? kFirstPause : std::min(next_pause_ * 2, kLongestPause);
  }

 private:
  static constexpr unsigned kFirstPause = 16, kLongestPause = 1024;  // batches

  unsigned pause_ = 0, next_pause_ = kFirstPause;
};

}  // namespace streamd::window
