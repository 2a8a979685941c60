// SPDX-License-Identifier: Apache-2.0
// ColumnNumbers: the numbers (distinct_values.h) of one column's values, as far as somebody asked.
// RecentColumns: those of the columns that the windows of one worker counted lately. Several
// windows count the same fields of the same records, so a value is looked up for the first of them.
//
// Made by WindowOperator; one RecentColumns per worker of a pipeline. One thread.
#pragma once

#include "engine/core/batch.h"
#include "operators/window/distinct_values.h"
#include "operators/window/rules.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace streamd::window {

class ColumnNumbers {
 public:
  explicit ColumnNumbers(std::shared_ptr<DistinctValues> values) : values_(std::move(values)) {}
  ~ColumnNumbers() { forget(); }
  ColumnNumbers(const ColumnNumbers&) = delete;
  ColumnNumbers& operator=(const ColumnNumbers&) = delete;

  // From now on those of a column with so many physical rows. Numbers given before are held no
  // more.
  void start(std::size_t rows);
  // Looks up together what is not known yet of the rows of a block. `column`: its values, by row.
  void look_up(std::span<const Arrival> block, const Value* column);
  // By physical row, of rows that were looked up; DistinctValues::kNone: the value is absent. Held
  // until the next start().
  const std::uint32_t* data() const { return numbers_.data(); }

 private:
  static constexpr std::uint32_t kUnknown = DistinctValues::kNone - 1;
  void forget();

  const std::shared_ptr<DistinctValues> values_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> held_;
  // Of one block: those that are not known.
  std::vector<std::uint32_t> rows_;
  std::vector<const Value*> sought_;
  std::vector<std::uint32_t> found_;
};

class RecentColumns {
 public:
  explicit RecentColumns(std::uint64_t seed) : values_(std::make_shared<DistinctValues>(seed)) {}

  const std::shared_ptr<DistinctValues>& values() const { return values_; }
  // Whoever has it may go on with it when the column is no recent one any more.
  std::shared_ptr<ColumnNumbers> of(const ColumnPtr& column);

 private:
  // As many fields of one batch as windows of a pipeline usually count, or some more.
  static constexpr std::size_t kRecent = 8;
  struct Recent {
    std::weak_ptr<const Column> column;  // so that no other one gets its address
    std::shared_ptr<ColumnNumbers> numbers;
  };

  const std::shared_ptr<DistinctValues> values_;
  std::array<Recent, kRecent> recent_;
  std::size_t next_ = 0;
};

}  // namespace streamd::window
