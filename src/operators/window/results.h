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

// A `having` that gives an error for a result with a null among its values is no failure but
// false: of nothing there is no average to compare.
bool has_null(const Batch& batch, std::uint32_t row);
// Tells of the other results for which it gave an error.
void fail_undecided(const Batch& batch, const std::vector<expr::Program::Failure>& failed,
                    Emitter& out);

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
  const std::shared_ptr<const Origin>& origin() const { return origin_; }
  std::size_t size() const { return rows_ ? rows_->time.size() : 0; }
  bool full() const { return size() >= kRows; }
  // What was collected; starts anew.
  Batch take();
  // Emits what was collected, if anything. Rows with a value out of range fail instead.
  void flush(Emitter& out);

 private:
  void start();
  void emit_without_failed(Emitter& out);

  const Rules& rules_;
  std::shared_ptr<const Origin> origin_;
  std::shared_ptr<Arena> arena_;
  std::shared_ptr<Rows> rows_;
  std::vector<std::shared_ptr<Column>> columns_;
  std::vector<std::uint32_t> failed_;  // rows with an error among their values
};

}  // namespace streamd::window
