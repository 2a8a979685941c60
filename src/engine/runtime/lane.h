// SPDX-License-Identifier: Apache-2.0
// Lane: one source partition being read by one worker, with its clock. Its watermark is the largest
// event time seen minus max_delay; it holds back windows until the partition is idle or has ended.
#pragma once

#include "engine/api/source.h"
#include "engine/core/batch.h"
#include "engine/core/time.h"

#include <memory>
#include <string>

namespace streamd {

struct Lane {
  std::string name;
  // Largest event time seen; one that was clamped counts as the wall time at which it came.
  EventTime max_time = EventTime::min();
  Duration last_data{};  // monotonic
  bool idle = false;
  std::shared_ptr<const Origin> origin;

  EventTime watermark(Duration max_delay) const { return max_time - max_delay; }
};

// Stands for "this input has nothing to say for now": does not hold back a minimum, and does not
// advance anything either. Of a source it means that no worker has ever had a record of it.
// EventTime::max() means that the input has ended.
inline constexpr EventTime kIdleMark{EventTime::max().micros - 1};

}  // namespace streamd
