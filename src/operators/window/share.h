// SPDX-License-Identifier: Apache-2.0
// Share: the key groups that one worker owns, and so which keys are its own.
#pragma once

#include "engine/core/hash.h"

#include <cstdint>

namespace streamd::window {

struct Share {
  unsigned worker = 0;
  unsigned workers = 1;

  bool owns(unsigned group) const { return owner_of(group, workers) == worker; }
  // Where rows go that are about many keys of this worker.
  unsigned home() const { return first_group_of(worker, workers); }
  // This worker's part of what is allowed for all of them, rounded up.
  std::uint64_t part_of(std::uint64_t all) const {
    return all / workers + (all % workers != 0 ? 1 : 0);
  }
  // Behind the last group.
  unsigned end() const { return first_group_of(worker + 1, workers); }
};

}  // namespace streamd::window
