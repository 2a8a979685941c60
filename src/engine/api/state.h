// SPDX-License-Identifier: Apache-2.0
// Keyed state as an operator sees it. Memory is the state; at each checkpoint the operator hands
// over what changed, and after a restart it gets all of it back. Rows are addressed by
// (key group, sub key); the engine adds the node's name. Never on the path of a record.
//
// A worker writes and erases rows only under key groups that it owns (owner_of() in core/hash.h),
// so that changes of several workers never meet. A row may hold keys of other groups that the
// worker owns. Hence after a restart, perhaps with another number of workers, every worker reads
// the rows of all groups and keeps what is of its own groups.
#pragma once

#include "engine/core/error.h"

#include <functional>
#include <string>
#include <string_view>

namespace streamd {

// Collects the changes of one node on one worker for one epoch. Calls copy what they are shown.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  virtual void put(unsigned group, std::string_view sub_key, std::string_view value) = 0;
  // put() of a large value without a copy.
  virtual void hand_over(unsigned group, std::string_view sub_key, std::string value) {
    put(group, sub_key, value);
  }
  virtual void erase(unsigned group, std::string_view sub_key) = 0;
  // Erases every sub key in [from, to) of the group.
  virtual void erase_range(unsigned group, std::string_view from, std::string_view to) = 0;
};

// Gives back what the last committed epoch holds, for all key groups; see above what to keep.
class StateReader {
 public:
  virtual ~StateReader() = default;
  using Visit =
      std::function<Status(unsigned group, std::string_view sub_key, std::string_view value)>;
  // Ascending by (group, sub key bytes). Stops at the first error and returns it.
  virtual Status scan(const Visit& visit) = 0;
};

// The group under which rows live that belong to the node and not to a key (given to worker 0,
// after all others).
inline constexpr unsigned kNodeGroup = 0xFFFF;

}  // namespace streamd
