// SPDX-License-Identifier: Apache-2.0
// Blocks of bytes that records are read into, lent and used again.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace streamd {

inline constexpr std::size_t kBlockBytes = 256 * 1024;
// Readable bytes behind the end of every block.
inline constexpr std::size_t kBlockPadding = 64;

// Lends blocks of kBlockBytes (+ padding). A block comes back when the last batch that keeps it is
// gone, on any thread; the pool may be gone by then.
class BlockPool {
 public:
  // Uninitialised; at least `bytes` + kBlockPadding. Larger ones than kBlockBytes are not kept.
  std::shared_ptr<char[]> take(std::size_t bytes = kBlockBytes);

 private:
  struct Free {
    std::mutex mutex;
    std::vector<std::unique_ptr<char[]>> blocks;
  };
  std::shared_ptr<Free> free_ = std::make_shared<Free>();
};

}  // namespace streamd
