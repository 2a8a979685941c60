// SPDX-License-Identifier: Apache-2.0
// MessageBlock: copies messages, each in its envelope (syslog_message.h), into the block of memory
// that one RawBatch hands to the engine. One thread.
#pragma once

#include "engine/api/source.h"
#include "engine/core/block_pool.h"

#include <cstddef>
#include <memory>
#include <string_view>

namespace streamd::syslog {

class MessageBlock {
 public:
  // envelope: whether the sender's address goes with each message.
  MessageBlock(bool envelope, std::size_t max_record)
      : envelope_(envelope), max_record_(max_record) {}

  // `out` is empty and outlives the filling.
  void begin(RawBatch& out, std::size_t max_records, EventTime arrival);
  // Whether add() has room for it; otherwise it has in the next batch.
  bool fits(std::string_view peer, std::string_view text) const {
    return out_->records.empty() ||
           (out_->records.size() < max_records_ && used_ + peer.size() + 2 + text.size() <= size_);
  }
  // A message that is longer than max_record or `too_long` becomes a fault with its beginning.
  // False: it does not fit.
  bool add(std::string_view peer, std::string_view text, bool too_long);
  // Gives the block to the batch.
  void finish();

 private:
  const bool envelope_;
  const std::size_t max_record_;
  BlockPool pool_;
  std::shared_ptr<char[]> block_;
  std::size_t used_ = 0, size_ = 0;
  RawBatch* out_ = nullptr;
  std::size_t max_records_ = 0;
  EventTime arrival_{};
};

}  // namespace streamd::syslog
