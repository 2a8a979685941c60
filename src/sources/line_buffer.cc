// SPDX-License-Identifier: Apache-2.0
#include "sources/line_buffer.h"

#include "sources/line_block.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace streamd {

LineBuffer::Room LineBuffer::room() {
  if (!block_ || lent_ || end_ == capacity_) make_room();
  return {block_.get() + end_, capacity_ - end_};
}

// A block that no batch looks at: the unfinished line moves to it.
void LineBuffer::make_room() {
  const std::size_t rest = end_ - begin_;
  capacity_ = std::max(kBlockBytes, rest * 2);
  auto fresh = pool_.take(capacity_);
  if (rest > 0) std::memcpy(fresh.get(), block_.get() + begin_, rest);
  block_ = std::move(fresh);
  searched_ -= begin_;
  begin_ = 0;
  end_ = rest;
  lent_ = false;
}

std::size_t LineBuffer::drop_rest() {
  const std::size_t rest = end_ - begin_;
  begin_ = searched_ = end_;
  skipping_ = false;
  return rest;
}

void LineBuffer::take(EventTime arrival, std::size_t max_records, RawBatch& out) {
  if (!block_) return;
  if (skipping_ && !skip_rest_of_line()) return;
  const std::size_t first = out.records.size();
  // A long line that comes in many pieces is searched once.
  if (std::memchr(block_.get() + searched_, '\n', end_ - searched_) != nullptr) {
    begin_ += take_lines(block_.get() + begin_, end_ - begin_, 0, arrival, max_records, out);
    searched_ = begin_;
  } else {
    searched_ = end_;
  }
  if (out.records.size() < max_records) take_rest(arrival, out);
  if (out.records.size() == first) return;
  for (std::size_t i = first; i < out.records.size(); ++i) {
    RawRecord& record = out.records[i];
    if (record.data.size() <= max_record_) continue;
    record.data = record.data.substr(0, kFaultBytes);
    record.fault = "too-long";
  }
  out.buffer = block_;
  out.padding = kBlockPadding;
  lent_ = true;
}

// What follows the last LF: the last line of the input, or the beginning of one that is too long.
void LineBuffer::take_rest(EventTime arrival, RawBatch& out) {
  const std::size_t rest = end_ - begin_;
  const bool too_long = rest > max_record_ + 1;
  if (rest == 0 || (!at_end_ && !too_long)) return;
  if (std::memchr(block_.get() + searched_, '\n', end_ - searched_) != nullptr) return;
  append_line(block_.get() + begin_, rest, 0, arrival, out);
  begin_ = searched_ = end_;
  skipping_ = !at_end_;
}

bool LineBuffer::skip_rest_of_line() {
  const void* found = std::memchr(block_.get() + begin_, '\n', end_ - begin_);
  skipping_ = found == nullptr && !at_end_;
  begin_ = found == nullptr
               ? end_
               : static_cast<std::size_t>(static_cast<const char*>(found) - block_.get()) + 1;
  searched_ = begin_;
  return !skipping_;
}

}  // namespace streamd
