// SPDX-License-Identifier: Apache-2.0
// Combiner: adds up what comes to a window on one worker, per key and pane, before it goes to the
// workers that own the keys. Where a batch has many records of few keys (hosts, countries, all in
// one) sums travel, and no single worker has to take every record. One thread; nothing stays in it
// from batch to batch but the keys that it knows.
#pragma once

#include "engine/api/operator.h"
#include "operators/window/key_table.h"
#include "operators/window/rules.h"
#include "operators/window/trial.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace streamd::window {

// What one worker has of the keys of another one. Owns its parts (aggregates.h).
struct Sums final : Summary {
  struct Row {
    std::int64_t pane = 0;  // its start
    std::uint64_t hash = 0;
    std::uint64_t records = 0;
    std::size_t key_end = 0;  // in `keys`, behind those of the rows before
  };
  explicit Sums(std::shared_ptr<const Aggregates> of) : aggregates(std::move(of)) {}
  ~Sums() override;

  std::vector<Row> rows;
  std::string keys;                  // encoded
  std::vector<std::uint64_t> words;  // of the rows' parts, one after the other
  std::shared_ptr<const Aggregates> aggregates;
};

class Combiner {
 public:
  // aggregates: those of `rules`, to be kept by what is sent.
  Combiner(const Rules& rules, std::shared_ptr<const Aggregates> aggregates, unsigned workers);

  // Whether sums can stand for records: windows that close by event time alone, and functions that
  // ask neither for an order nor for the values themselves.
  static bool suits(const Rules& rules);
  // Whether it is worth while for the batch at hand. Where keys hardly repeat it is tried seldom.
  bool wants_batch() { return trial_.is_due(); }
  // Those that come after `closed` and their floors, so that they are late on no worker; of the
  // others the rows are left.
  void add(std::span<const Arrival> block, std::int64_t closed, std::vector<std::uint32_t>& left);
  // All of the batch were added: gives what each worker shall take over.
  void finish(Summaries& to);

 private:
  static constexpr std::size_t kMostKeys = 8192;

  // One pane of a key in this batch. A key has two, those that its records met last; their words
  // are in words_, in the same order.
  struct Cell {
    std::int64_t start = 0;
    std::uint64_t records = 0;  // 0: not in use
  };
  bool holds(const Cell& cell, std::int64_t time) const {
    return cell.records != 0 && static_cast<std::uint64_t>(time - cell.start) <
                                    static_cast<std::uint64_t>(rules_.assigner.pane);
  }
  void add(const Arrival& arrival);
  std::size_t new_cell(std::uint32_t id, std::int64_t time);
  void hand_over(std::size_t cell);  // as a row for the owner of its key

  const Rules& rules_;
  const std::shared_ptr<const Aggregates> aggregates_;
  const std::size_t stride_;
  std::optional<KeyTable> keys_;
  std::vector<std::uint64_t> hashes_;  // by id
  std::vector<Cell> cells_;            // by id, two each
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> touched_;       // ids with a cell in use
  std::vector<std::unique_ptr<Sums>> open_;  // by worker
  std::size_t records_ = 0, rows_ = 0;       // of this batch: added, and made of them
  Trial trial_;
};

}  // namespace streamd::window
