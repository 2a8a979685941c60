// SPDX-License-Identifier: Apache-2.0
// Relay: of records whose keys another worker owns it sends what the window needs, time, key and
// inputs, in memory of their own. The batch is read by no other core: that would cost more than the
// copy, and its memory could not be used again soon. One per worker, that worker's thread only.
#pragma once

#include "engine/api/operator.h"
#include "operators/window/rules.h"
#include "operators/window/share.h"
#include "operators/window/trial.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace streamd::window {

// Records for one worker, in the order in which they came.
struct Relayed final : Summary {
  struct Record {
    std::int64_t time = 0;
    std::uint64_t hash = 0;      // of the key
    std::uint32_t key_size = 0;  // in `keys`, behind those of the records before
    bool text = false;           // see KeyRef
  };
  std::vector<Record> records;
  std::string keys;
  std::vector<Value> inputs;  // as many each as the window has
};

class Relay {
 public:
  static constexpr std::size_t kMostAtOnce = 256;

  // inputs: how many a record has.
  Relay(std::size_t inputs, Share share);

  // Whether all that a window asks of a record can travel: windows of panes, which count no values.
  static bool suits(const Rules& rules);
  // Whether to try it with the batch at hand: seldom where most records are left.
  bool wants_batch() { return trial_.is_due(); }
  // Takes records that come after `closed` and their floors, so that they are late on no worker. Of
  // those that are not, or whose inputs need the batch, the rows are left. This worker's own move
  // to the front of the block, of at most kMostAtOnce; returns how many they are.
  std::size_t take(std::span<Arrival> block, std::int64_t closed, std::vector<std::uint32_t>& left);
  // All of the batch were taken: gives the records of each worker.
  void hand_out(Summaries& to);

 private:
  bool stands_alone(const Arrival& arrival) const;
  void append(std::span<const Arrival> block, std::span<const std::uint8_t> which, unsigned owner);
  Relayed& open(unsigned owner);

  struct Owned {  // of a block
    std::array<std::uint8_t, kMostAtOnce> which;
    std::size_t size = 0;
  };

  const std::size_t inputs_;
  const Share share_;
  std::vector<Owned> owned_;                       // by worker
  std::vector<std::unique_ptr<Relayed>> open_;     // by worker
  std::size_t taken_ = 0, left_ = 0;               // of this batch
  std::size_t last_records_ = 0, last_bytes_ = 0;  // the most for one worker in the batch before
  Trial trial_;
};

}  // namespace streamd::window
