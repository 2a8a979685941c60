// SPDX-License-Identifier: Apache-2.0
// Share: the key groups that one worker owns, and so which keys are its own.
#pragma once

#include "engine/core/hash.h"

namespace streamd::window {

struct Share {
  unsigned worker = 0;
  unsigned workers = 1;

  bool owns(unsigned group) const { return owner_of(group, workers) == worker; }
  // Where rows go that are about many keys of this worker.
  unsigned home() const { return first_group_of(worker, workers); }
  // Behind the last group.
  unsigned end() const { return first_group_of(worker + 1, workers); }
};

}  // namespace streamd::window
