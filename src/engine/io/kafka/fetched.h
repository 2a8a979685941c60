// SPDX-License-Identifier: Apache-2.0
// Fetched: a worker's records that were fetched and not handed out yet, in the order in which they
// came. Their bytes are copied, one record behind the other with a line feed between them:
// librdkafka gets its memory back while that is in the cache, and a decoder finds one piece of
// text.
//
// Not thread-safe.
#pragma once

#include "engine/api/source.h"
#include "engine/core/block_pool.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace streamd::kafka {

class Fetched {
 public:
  // `record.data` may go away afterwards.
  void add(std::uint32_t partition, RawRecord record);
  // Partition of the records that come next. Not when empty.
  std::uint32_t next() const { return runs_.front().partition; }
  // Moves the first of them to `out`, which is cleared: at most `limit`, of one partition and in
  // one block.
  void hand_out(std::size_t limit, RawBatch& out);
  void clear();
  bool empty() const { return runs_.empty(); }
  std::size_t size() const { return records_.size() - begin_; }
  // One more record of usual length would begin a new block: time to hand some out.
  bool block_is_full() const { return capacity_ - used_ < kUsualRecord; }

 private:
  static constexpr std::size_t kUsualRecord = 2048;

  struct Run {
    std::uint32_t partition;
    std::shared_ptr<char[]> block;
    std::size_t size;  // records
  };
  bool make_room(std::size_t bytes);

  BlockPool pool_;
  std::shared_ptr<char[]> block_;
  std::size_t used_ = 0, capacity_ = 0;  // bytes of block_
  std::vector<RawRecord> records_;
  std::size_t begin_ = 0;  // records before it were handed out
  std::deque<Run> runs_;
};

}  // namespace streamd::kafka
