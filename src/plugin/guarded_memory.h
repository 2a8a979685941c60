// SPDX-License-Identifier: Apache-2.0
// Memory that plugins write to, with a pattern behind it that says when they wrote too far.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/batch.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace streamd::plugin {

// Texts of one batch. The arena goes to the batch that is made of it.
class GuardedMemory {
 public:
  static constexpr std::size_t kLargest = std::size_t{64} << 20;  // of one piece

  void start() {
    arena_ = std::make_shared<Arena>();
    ends_.clear();
  }
  // Null: too much. Aligned to 16 bytes.
  char* take(std::size_t bytes) {
    if (bytes > kLargest) return nullptr;
    char* at = arena_->allocate(bytes + sizeof kPattern + 8);
    if (reinterpret_cast<std::uintptr_t>(at) % 16 != 0) at += 8;
    std::memcpy(at + bytes, &kPattern, sizeof kPattern);
    ends_.push_back(at + bytes);
    return at;
  }
  bool intact() const {
    for (const char* end : ends_)
      if (std::memcmp(end, &kPattern, sizeof kPattern) != 0) return false;
    return true;
  }
  Arena& arena() { return *arena_; }
  std::shared_ptr<Arena> give() { return std::exchange(arena_, nullptr); }

 private:
  static constexpr std::uint64_t kPattern = 0x5AFE'B0A7'D5EA'1E57;
  std::shared_ptr<Arena> arena_;
  std::vector<const char*> ends_;
};

// One new column of a batch.
class GuardedColumn {
 public:
  explicit GuardedColumn(std::size_t entries)
      : values_(std::make_shared<Column>(entries + kGuards)), entries_(entries) {
    for (std::size_t g = 0; g < kGuards; ++g) (*values_)[entries_ + g] = guard();
  }
  Value* data() { return values_->data(); }
  bool intact() const {
    for (std::size_t g = 0; g < kGuards; ++g) {
      const Value& value = (*values_)[entries_ + g];
      if (!value.is(Kind::int64) || value.as_int() != guard().as_int()) return false;
    }
    return true;
  }
  std::shared_ptr<Column> give() {
    values_->resize(entries_);
    return std::move(values_);
  }

 private:
  static constexpr std::size_t kGuards = 2;
  static constexpr Value guard() { return Value::int64(0x5AFE'B0A7'D5EA'1E57); }
  std::shared_ptr<Column> values_;
  std::size_t entries_;
};

}  // namespace streamd::plugin
