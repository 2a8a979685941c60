// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/lane.h"

#include <algorithm>

namespace streamd::kafka {

bool Lane::offer(std::int64_t offset) {
  if (offset < next_) return false;
  if (end_ && offset >= *end_) {
    reached(offset);
    return false;
  }
  next_ = offset + 1;
  at_end_ = false;
  return true;
}

void Lane::reached(std::int64_t offset) {
  const bool none_waits = position_ == next_;
  if (offset < next_) return;
  next_ = offset;
  at_end_ = offset >= known_end_;
  if (none_waits) position_ = next_;
}

void Lane::handed_out(std::int64_t offset, bool all) { position_ = all ? next_ : offset + 1; }

void Lane::rewind() {
  next_ = position_;
  at_end_ = false;
}

void Lane::jump(std::int64_t offset, std::int64_t end) {
  next_ = position_ = offset;
  if (end_) end_ = std::min(*end_, end);
  known_end_ = 0;
  at_end_ = false;
}

}  // namespace streamd::kafka
