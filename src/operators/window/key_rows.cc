// SPDX-License-Identifier: Apache-2.0
#include "operators/window/key_rows.h"

#include <algorithm>
#include <utility>

namespace streamd::window {
namespace {

constexpr std::size_t kSlice = 4096;
constexpr std::uint64_t kAllowed = 3;  // entries for each live key before the log is swept

}  // namespace

void KeyRows::restored(unsigned group, std::uint32_t number, std::uint64_t entries) {
  rows_.push_back({group, number, entries});
  entries_ += entries;
  next_ = std::max(next_, number + 1);
}

void KeyRows::work_ahead(KeyTable& keys) {
  if (made_.size() - taken_made_ > 2 * kSlice) encode(keys, kSlice);
}

void KeyRows::checkpoint(KeyTable& keys, bool anew, StateWriter& state) {
  if (anew || keys.size() == 0) {
    erase_before(next_, state);
    ready_.clear();
    entries_ = 0;
    left_.clear();
    taken_left_ = 0;
    sweeping_ = false;
    forget(keys);
  }
  encode(keys, SIZE_MAX);
  if (!sweeping_ && entries_ > kAllowed * keys.size() + 64) {
    sweeping_ = true;
    cursor_ = 0;
    since_ = next_;
    begin_row();
  }
  sweep(keys, kSlice);
  for (auto& [number, row] : std::exchange(ready_, {})) {
    if (row.count == 0) continue;
    state.put(share_.home(), key_row_key(number), row.value());
    rows_.push_back({share_.home(), number, row.count});
  }
  if (!sweeping_ || cursor_ < keys.limit()) return;
  erase_before(since_, state);
  sweeping_ = false;
}

// As if no key were on disk.
void KeyRows::forget(KeyTable& keys) {
  for (std::uint32_t id = 0; id < keys.limit() && keys.size() > 0; ++id) {
    Entry& entry = keys.entry(id);
    if (!entry.live()) continue;
    entry.flags = static_cast<std::uint8_t>(entry.flags & ~Entry::kStored);
    made(id);
  }
}

// What left comes first: the id may be that of another key by now.
void KeyRows::encode(KeyTable& keys, std::size_t most) {
  for (; most > 0 && taken_left_ < left_.size(); --most) put_left(left_[taken_left_++]);
  if (taken_left_ < left_.size()) return;
  left_ = {};
  taken_left_ = 0;
  constexpr std::size_t kAhead = 16;
  const std::size_t from = taken_made_;
  const std::size_t end = from + std::min(most, made_.size() - from);
  for (; taken_made_ < end; ++taken_made_) {
    if (taken_made_ + kAhead < end) __builtin_prefetch(&keys.entry(made_[taken_made_ + kAhead]));
    const std::uint32_t id = made_[taken_made_];
    Entry& entry = keys.entry(id);
    is_made_[id] = false;
    if (entry.live() && (entry.flags & Entry::kStored) == 0) put_key(id, entry);
  }
  if (end == made_.size()) {
    made_ = {};
    taken_made_ = 0;
  }
  // Twice what came, so that it ends before the log has grown by as much again.
  sweep(keys, 2 * (end - from));
}

void KeyRows::sweep(KeyTable& keys, std::size_t most) {
  if (!sweeping_) return;
  for (; most > 0 && cursor_ < keys.limit(); --most, ++cursor_) {
    Entry& entry = keys.entry(cursor_);
    if (entry.live()) put_key(cursor_, entry);
  }
}

void KeyRows::put_key(std::uint32_t id, Entry& entry) {
  entry.flags |= Entry::kStored;
  RowBytes& to = row();
  put_varint(to.bytes, id);
  put_varint(to.bytes, std::uint64_t{entry.key_size} + 1);
  to.bytes.append(entry.bytes());
}

void KeyRows::put_left(std::uint32_t id) {
  RowBytes& to = row();
  put_varint(to.bytes, id);
  put_varint(to.bytes, 0);
}

// Where the next entry goes.
RowBytes& KeyRows::row() {
  if (ready_.empty() || ready_.back().row.is_full()) begin_row();
  ++ready_.back().row.count;
  ++entries_;
  return ready_.back().row;
}

void KeyRows::erase_before(std::uint32_t number, StateWriter& state) {
  const auto kept = std::find_if(rows_.begin(), rows_.end(),
                                 [&](const Row& row) { return row.number >= number; });
  for (auto row = rows_.begin(); row != kept; ++row) {
    state.erase(row->group, key_row_key(row->number));
    entries_ -= row->entries;
  }
  rows_.erase(rows_.begin(), kept);
}

}  // namespace streamd::window
