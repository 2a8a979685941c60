// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/fetched.h"

#include <algorithm>
#include <cstring>

namespace streamd::kafka {

// True: the block is a new one.
bool Fetched::make_room(std::size_t bytes) {
  if (block_ && bytes <= capacity_ - used_) return false;
  capacity_ = std::max(bytes, kBlockBytes);
  block_ = pool_.take(capacity_);
  used_ = 0;
  return true;
}

void Fetched::add(std::uint32_t partition, RawRecord record) {
  const std::size_t size = record.data.size();
  const bool new_block = make_room(size + 1);
  if (new_block || runs_.empty() || runs_.back().partition != partition)
    runs_.push_back({partition, block_, 0});
  char* const bytes = block_.get() + used_;
  if (size > 0) std::memcpy(bytes, record.data.data(), size);
  bytes[size] = '\n';
  record.data = {bytes, size};
  used_ += size + 1;
  records_.push_back(record);
  ++runs_.back().size;
}

void Fetched::hand_out(std::size_t limit, RawBatch& out) {
  Run& run = runs_.front();
  const std::size_t count = std::min(limit, run.size);
  out.partition = run.partition;
  out.padding = kBlockPadding;
  if (count == records_.size()) {
    out.records.swap(records_);
  } else {
    const auto first = records_.begin() + static_cast<std::ptrdiff_t>(begin_);
    out.records.insert(out.records.end(), first, first + static_cast<std::ptrdiff_t>(count));
    begin_ += count;
  }
  run.size -= count;
  if (run.size > 0) {
    out.buffer = run.block;
    return;
  }
  out.buffer = std::move(run.block);
  runs_.pop_front();
  if (runs_.empty()) clear();
}

void Fetched::clear() {
  runs_.clear();
  records_.clear();
  begin_ = 0;
}

}  // namespace streamd::kafka
