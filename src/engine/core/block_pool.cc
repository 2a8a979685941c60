// SPDX-License-Identifier: Apache-2.0
#include "engine/core/block_pool.h"

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

}  // namespace streamd
