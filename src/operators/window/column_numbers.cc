// SPDX-License-Identifier: Apache-2.0
#include "operators/window/column_numbers.h"

#include <utility>

namespace streamd::window {

void ColumnNumbers::forget() {
  for (const std::uint32_t number : held_) values_->release(number);
  held_.clear();
}

void ColumnNumbers::start(std::size_t rows) {
  forget();
  numbers_.assign(rows, kUnknown);
}

void ColumnNumbers::look_up(std::span<const Arrival> block, const Value* column) {
  rows_.clear();
  sought_.clear();
  for (const Arrival& arrival : block) {
    if (numbers_[arrival.row] != kUnknown) continue;
    rows_.push_back(arrival.row);
    sought_.push_back(column + arrival.row);
  }
  if (rows_.empty()) return;
  found_.resize(rows_.size());
  values_->numbers_of(sought_, found_.data());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    numbers_[rows_[i]] = found_[i];
    if (found_[i] != DistinctValues::kNone) held_.push_back(found_[i]);
  }
}

std::shared_ptr<ColumnNumbers> RecentColumns::of(const ColumnPtr& column) {
  for (const Recent& recent : recent_)
    if (!recent.column.owner_before(column) && !column.owner_before(recent.column))
      return recent.numbers;
  Recent& oldest = recent_[next_];
  next_ = (next_ + 1) % kRecent;
  // Somebody may be in the middle of a batch with it.
  if (!oldest.numbers || oldest.numbers.use_count() > 1)
    oldest.numbers = std::make_shared<ColumnNumbers>(values_);
  oldest.column = column;
  oldest.numbers->start(column->size());
  return oldest.numbers;
}

}  // namespace streamd::window
