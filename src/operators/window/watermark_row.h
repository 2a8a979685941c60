// SPDX-License-Identifier: Apache-2.0
// WatermarkRow: how far each key group of one worker has closed, as one row under the worker's home
// group. Groups that differ, after a restart with another number of workers, have runs of their
// own, so that groups may come back on any worker. One thread.
#pragma once

#include "engine/api/state.h"
#include "engine/core/hash.h"
#include "operators/window/share.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::window {

using GroupTimes = std::array<std::int64_t, kKeyGroups>;

class WatermarkRow {
 public:
  explicit WatermarkRow(Share share) : share_(share) {}

  // A row of the last run, found under `group`; version byte included. Sets what it says of the
  // groups of this worker. False: damaged.
  bool restore(unsigned group, std::string_view value, GroupTimes& closed);
  // The largest time of any row that was restored, also for groups of other workers.
  std::int64_t furthest() const { return furthest_; }
  // Writes the row if it differs from the one on disk. kNever: nothing is known of a group.
  void checkpoint(const GroupTimes& closed, StateWriter& state);

 private:
  Share share_;
  std::string written_;
  std::int64_t furthest_ = INT64_MIN;
  std::vector<unsigned> gone_;  // groups of this worker with a row of the last run
};

}  // namespace streamd::window
