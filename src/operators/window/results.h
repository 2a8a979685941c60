// SPDX-License-Identifier: Apache-2.0
// Results: the rows of a window node while they are collected. Row: key, window, values; becomes
// batches of at most kRows rows with the node as origin. One thread.
#pragma once

#include "engine/api/emitter.h"
#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "operators/window/rules.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace streamd::window {

class Results {
 public:
  static constexpr std::size_t kRows = 4096;

  Results(const Rules& rules, std::shared_ptr<const Origin> origin);

  struct Row {
    std::string_view key;
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t time = 0;
    std::uint64_t edge = 0;                // 0 close and changed, 1 threshold; part of the row's id
    const std::uint64_t* words = nullptr;  // aggregates
    bool running = false;                  // their form
    std::uint64_t count = 0;
  };
  void add(const Row& row);
  std::size_t size() const { return rows_ ? rows_->time.size() : 0; }
  bool full() const { return size() >= kRows; }
  // What was collected; starts anew.
  Batch take();
  // Emits what was collected, if anything.
  void flush(Emitter& out);

 private:
  void start();

  const Rules& rules_;
  std::shared_ptr<const Origin> origin_;
  std::shared_ptr<Arena> arena_;
  std::shared_ptr<Rows> rows_;
  std::vector<std::shared_ptr<Column>> columns_;
};

}  // namespace streamd::window
