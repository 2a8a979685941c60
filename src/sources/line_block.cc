// SPDX-License-Identifier: Apache-2.0
#include "sources/line_block.h"

#include <cstring>
#include <utility>

namespace streamd {

std::shared_ptr<char[]> BlockPool::take(std::size_t bytes) {
  if (bytes > kBlockBytes) return std::make_shared_for_overwrite<char[]>(bytes + kBlockPadding);
  std::unique_ptr<char[]> block;
  {
    const std::lock_guard lock(free_->mutex);
    if (!free_->blocks.empty()) {
      block = std::move(free_->blocks.back());
      free_->blocks.pop_back();
    }
  }
  if (!block) block = std::make_unique_for_overwrite<char[]>(kBlockBytes + kBlockPadding);
  return {block.release(), [free = free_](char* back) {
            std::unique_ptr<char[]> owned(back);
            const std::lock_guard lock(free->mutex);
            if (free->blocks.size() < 64) free->blocks.push_back(std::move(owned));
          }};
}

void append_line(const char* text, std::size_t size, std::uint64_t position, EventTime arrival,
                 RawBatch& out) {
  if (size > 0 && text[size - 1] == '\r') --size;
  if (size == 0) return;
  RawRecord record;
  record.data = {text, size};
  record.position = position;
  record.arrival = arrival;
  out.records.push_back(record);
}

std::size_t take_lines(const char* text, std::size_t size, std::uint64_t base, EventTime arrival,
                       std::size_t max_records, RawBatch& out) {
  std::size_t at = 0;
  while (at < size && out.records.size() < max_records) {
    const void* found = std::memchr(text + at, '\n', size - at);
    if (found == nullptr) break;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - text);
    append_line(text + at, end - at, base + at, arrival, out);
    at = end + 1;
  }
  return at;
}

}  // namespace streamd
