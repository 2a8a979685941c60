// SPDX-License-Identifier: Apache-2.0
// Feed: how records reach a worker's lanes. There are two: QueueFeed takes what librdkafka has
// fetched, LinkFeed fetches by itself, which costs two fifths of that. Called by the worker's
// thread only. Included only in this folder.
#pragma once

#include "engine/core/time.h"

#include <cstddef>

namespace streamd::kafka {

class Feed {
 public:
  virtual ~Feed() = default;
  // Sorts what is there into the lanes, until `at_most` records wait in them or a block of bytes is
  // full. Never blocks. The worker's lock is held.
  virtual void fill(std::size_t at_most) = 0;
  // Blocks until there may be something to fill in, at most `limit`. No lock is held.
  virtual void wait(Duration limit) = 0;
};

}  // namespace streamd::kafka
