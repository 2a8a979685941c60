// SPDX-License-Identifier: Apache-2.0
#include "operators/window/row_log.h"

#include <algorithm>
#include <utility>

namespace streamd::window {
namespace {

constexpr std::uint64_t kAllowed = 3;  // entries for each live key before the log is swept

}  // namespace

void RowLog::restored(unsigned group, std::uint32_t number, std::uint64_t entries) {
  rows_.push_back({group, number, entries});
  entries_ += entries;
  next_ = std::max(next_, number + 1);
}

RowBytes& RowLog::add() {
  if (ready_.empty() || ready_.back().row.is_full()) begin_row();
  ready_.back().row.count_entry();
  ++entries_;
  return ready_.back().row;
}

void RowLog::clear(StateWriter& state) {
  erase_before(next_, state);
  ready_.clear();
  entries_ = 0;
  sweeping_ = false;
}

void RowLog::look_at_length(std::uint64_t live) {
  if (sweeping_ || entries_ <= kAllowed * live + 64) return;
  sweeping_ = true;
  cursor_ = 0;
  since_ = next_;
  begin_row();
}

void RowLog::checkpoint(std::uint32_t limit, StateWriter& state) {
  for (auto& [number, row] : std::exchange(ready_, {})) {
    if (row.count == 0) continue;
    state.hand_over(share_.home(), key_row_key(number), std::move(row).value());
    rows_.push_back({share_.home(), number, row.count});
  }
  if (!sweeping_ || cursor_ < limit) return;
  erase_before(since_, state);
  sweeping_ = false;
}

void RowLog::erase_before(std::uint32_t number, StateWriter& state) {
  const auto kept = std::find_if(rows_.begin(), rows_.end(),
                                 [&](const Row& row) { return row.number >= number; });
  for (auto row = rows_.begin(); row != kept; ++row) {
    state.erase(row->group, key_row_key(row->number));
    entries_ -= row->entries;
  }
  rows_.erase(rows_.begin(), kept);
}

}  // namespace streamd::window
