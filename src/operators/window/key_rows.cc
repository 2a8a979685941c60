// SPDX-License-Identifier: Apache-2.0
#include "operators/window/key_rows.h"

#include "engine/core/fetch_line.h"

#include <algorithm>

namespace streamd::window {
namespace {

constexpr std::size_t kSlice = 4096;

}  // namespace

void KeyRows::work_ahead(KeyTable& keys) {
  if (made_.size() - taken_made_ > 2 * kSlice) encode(keys, kSlice);
}

void KeyRows::checkpoint(KeyTable& keys, bool anew, StateWriter& state) {
  if (anew || keys.size() == 0) {
    log_.clear(state);
    left_.clear();
    taken_left_ = 0;
    forget(keys);
  }
  encode(keys, SIZE_MAX);
  log_.look_at_length(keys.size());
  sweep(keys, kSlice);
  log_.checkpoint(keys.limit(), state);
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
    if (taken_made_ + kAhead < end) fetch_line(&keys.entry(made_[taken_made_ + kAhead]));
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
  log_.sweep(keys.limit(), most, [&](std::uint32_t id) {
    Entry& entry = keys.entry(id);
    if (entry.live()) put_key(id, entry);
  });
}

void KeyRows::put_key(std::uint32_t id, Entry& entry) {
  entry.flags |= Entry::kStored;
  RowBytes& to = log_.add();
  put_varint(to.bytes, id);
  put_varint(to.bytes, std::uint64_t{entry.key_size} + 1);
  to.bytes.append(entry.bytes());
}

void KeyRows::put_left(std::uint32_t id) {
  RowBytes& to = log_.add();
  put_varint(to.bytes, id);
  put_varint(to.bytes, 0);
}

}  // namespace streamd::window
