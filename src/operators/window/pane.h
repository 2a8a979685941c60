// SPDX-License-Identifier: Apache-2.0
// Pane: what one slice of event time holds, one cell per key that has a record in it. Cells are
// only appended, so a cell is named by its position. Pointers into it end with the next append().
// One thread.
//
// Cell: word 0 = key id (31 bits), changed bit, low half of the record count; then the words of the
// aggregates (aggregates.h, part form).
#pragma once

#include "engine/core/fetch_line.h"
#include "operators/window/aggregates.h"
#include "operators/window/pane_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace streamd::window {

class Pane {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // side: 0 or 1, alternating from pane to pane.
  Pane(std::int64_t start, unsigned side, const Aggregates& aggregates)
      : start_(start), side_(side), stride_(1 + aggregates.words()), aggregates_(aggregates) {}
  ~Pane();
  Pane(const Pane&) = delete;
  Pane& operator=(const Pane&) = delete;

  std::int64_t start() const { return start_; }
  unsigned side() const { return side_; }
  std::uint32_t size() const { return size_; }
  // Cells before this position have entered the running values; kNone: all, also those to come.
  std::uint32_t entered = 0;
  bool closed() const { return entered == kNone; }

  // Position of the key's cell, or kNone. Builds an index over all cells at the first call.
  std::uint32_t find(std::uint32_t id);
  // True when `position` is the cell of this key; any position may be asked.
  bool holds(std::uint32_t position, std::uint32_t id) const {
    return position < size_ && id_of(position) == id;
  }
  std::uint64_t* cell(std::uint32_t position) {
    return blocks_[position >> kBlockBits].get() + (position & kBlockMask) * stride_;
  }
  // The same, or null when holds() is false.
  std::uint64_t* cell_if(std::uint32_t position, std::uint32_t id) {
    if (position >= size_) return nullptr;
    std::uint64_t* const at = cell(position);
    return (static_cast<std::uint32_t>(*at) & kDead) == id ? at : nullptr;
  }
  // A new, empty cell. The key must have none.
  std::uint32_t append(std::uint32_t id) {
    if (size_ == room_) make_room();
    const std::uint32_t position = size_++;
    cell(position)[0] = id;
    if (!index_.empty()) index_new(position);
    return position;
  }
  // Takes the cell out; find() and holds() no longer see it.
  void kill(std::uint32_t position);

  static constexpr std::uint32_t kDead = 0x7FFFFFFF;
  // kDead: killed.
  std::uint32_t id_of(std::uint32_t position) const {
    return static_cast<std::uint32_t>(cell(position)[0]) & 0x7FFFFFFF;
  }
  std::uint64_t count_of(std::uint32_t position) const {
    const std::uint64_t low = cell(position)[0] >> 32;
    if (high_.empty()) return low;
    const auto found = high_.find(position);
    return found == high_.end() ? low : low + (found->second << 32);
  }
  void set_count(std::uint32_t position, std::uint64_t count);
  // One more record in the cell at this position; remembers that it has changed since the last
  // take_changed(). Returns its part.
  std::uint64_t* count_one(std::uint32_t position, std::uint64_t* at) {
    std::uint64_t& word = *at;
    if ((word & kChanged) == 0) {
      word |= kChanged;
      changed_.push_back(position);
    }
    word += std::uint64_t{1} << 32;
    if ((word >> 32) == 0) [[unlikely]]
      ++high_[position];
    return at + 1;
  }
  // The same for several records.
  std::uint64_t* count_more(std::uint32_t position, std::uint64_t* at, std::uint64_t records) {
    if ((*at & kChanged) == 0) changed_.push_back(position);
    *at |= kChanged;
    set_count(position, count_of(position) + records);
    return at + 1;
  }
  std::uint64_t* part(std::uint32_t position) { return cell(position) + 1; }
  const std::uint64_t* part(std::uint32_t position) const { return cell(position) + 1; }
  // visit(id, count, part) for at most `most` cells from `first` on, and hint(id) some cells
  // before. Returns the position behind them.
  template <class Hint, class Visit>
  std::uint32_t for_each(std::uint32_t first, std::uint32_t most, Hint&& hint, Visit&& visit) {
    constexpr std::uint32_t kAhead = 16;
    const std::uint32_t end = first + std::min(most, size_ - first);
    for (std::uint32_t count = 0; first < end; first += count) {
      count = std::min(end, (first | kBlockMask) + 1) - first;
      std::uint64_t* at = cell(first);
      for (std::uint32_t i = 0; i < count; ++i, at += stride_) {
        const auto id = static_cast<std::uint32_t>(*at) & kDead;
        if (i + kAhead < count) {
          const auto ahead = static_cast<std::uint32_t>(at[kAhead * stride_]) & kDead;
          if (ahead != kDead) hint(ahead);
        }
        if (id != kDead) visit(id, high_.empty() ? *at >> 32 : count_of(first + i), at + 1);
      }
    }
    return end;
  }
  void prefetch(std::uint32_t position) const {
    if (position < size_) fetch_line(cell(position));
  }

  // Cells that have changed and were not taken since, at most.
  std::size_t changed() const { return changed_.size() - taken_; }
  // visit(id, count, part) for `most` of them, those that changed first.
  template <class Visit>
  void take_changed(std::size_t most, Visit&& visit) {
    constexpr std::size_t kAhead = 48;
    const std::size_t end = taken_ + std::min(most, changed());
    for (; taken_ < end; ++taken_) {
      if (taken_ + kAhead < end) prefetch(changed_[taken_ + kAhead]);
      const std::uint32_t position = changed_[taken_];
      std::uint64_t* const at = cell(position);
      const std::uint32_t id = id_of(position);
      if (id == kDead) continue;
      *at &= ~kChanged;
      visit(id, count_of(position), at + 1);
    }
    if (taken_ * 2 >= changed_.size()) forget_taken();
  }
  void change_all();  // as if every cell had changed

  // For pane_rows.cc: what of this pane is on disk, or will be with the next checkpoint.
  struct Stored {
    std::uint64_t cells = 0;  // in all rows, superseded ones included
    std::vector<RowBytes> ready;
    std::uint32_t next = 0;  // number of the next row
    // Of those that this worker erases: key group, number.
    std::vector<std::pair<std::uint16_t, std::uint32_t>> rows;
    std::vector<std::uint32_t> removed;  // ids of cells that were killed since the last row
  };
  Stored stored;

 private:
  static constexpr std::uint64_t kChanged = std::uint64_t{1} << 31;

  // Blocks of 1024 cells; the first one begins small and is copied while it grows.
  static constexpr std::uint32_t kBlockBits = 10;
  static constexpr std::uint32_t kBlockMask = (1u << kBlockBits) - 1;
  const std::uint64_t* cell(std::uint32_t position) const {
    return blocks_[position >> kBlockBits].get() + (position & kBlockMask) * stride_;
  }
  void make_room();
  void index_new(std::uint32_t position);
  void forget_taken();
  void index_cell(std::uint32_t position);
  void rebuild_index();

  std::int64_t start_;
  unsigned side_;
  std::size_t stride_;
  const Aggregates& aggregates_;
  std::uint32_t size_ = 0;
  std::uint32_t room_ = 0;  // cells that fit into the blocks
  std::vector<std::unique_ptr<std::uint64_t[]>> blocks_;
  std::unordered_map<std::uint32_t, std::uint64_t> high_;  // counts beyond 32 bits
  std::vector<std::uint32_t> changed_;                     // positions, in order
  std::size_t taken_ = 0;                                  // so many of them are taken
  std::vector<std::uint32_t> index_;  // open addressing, position or kNone; empty until needed
};

}  // namespace streamd::window
