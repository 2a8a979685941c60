// SPDX-License-Identifier: Apache-2.0
// Arena: bump allocation for what a batch's values point to. Freed as a whole, with the last batch
// that keeps it (Batch::keep). One thread at a time.
#pragma once

#include "engine/core/value.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace streamd {

class Arena {
 public:
  explicit Arena(std::size_t block_bytes = 16 * 1024) : block_bytes_(block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised, aligned to 8 bytes.
  char* allocate(std::size_t bytes) {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > left_) grow(bytes);
    char* at = next_;
    next_ += bytes;
    left_ -= bytes;
    return at;
  }
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {"", 0};
    char* at = allocate(text.size());
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  Value* values(std::size_t count) {
    return reinterpret_cast<Value*>(allocate(count * sizeof(Value)));
  }
  // Forgets everything but keeps the first block. Nothing may point into the arena any more.
  void clear() {
    if (blocks_.empty()) return;
    blocks_.resize(1);
    next_ = blocks_[0].get();
    left_ = first_bytes_;
  }

 private:
  void grow(std::size_t at_least) {
    const std::size_t bytes = at_least > block_bytes_ ? at_least : block_bytes_;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    if (blocks_.size() == 1) first_bytes_ = bytes;
    next_ = blocks_.back().get();
    left_ = bytes;
  }

  std::size_t block_bytes_;
  std::size_t first_bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace streamd
