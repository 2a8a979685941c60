// SPDX-License-Identifier: Apache-2.0
#include "engine/core/fetch_line.h"
#include "engine/core/key.h"
#include "operators/window/pane_rows.h"
#include "operators/window/pane_windows.h"

#include <algorithm>

namespace streamd::window {
namespace {

tl::unexpected<Error> damaged(const char* what) {
  return fail(ErrorKind::state, std::string("the stored ") + what + " of a window is damaged");
}

}  // namespace

Status PaneWindows::restore_row(unsigned group, std::string_view sub_key, std::string_view value) {
  if (group >= kKeyGroups || sub_key.empty() || value.empty()) return damaged("row");
  STREAMD_TRY(check_row_version(value));
  const char type = sub_key.front();
  sub_key.remove_prefix(1);
  if (type == 'w')
    return sub_key.empty() && watermark_row_.restore(group, value, group_watermark_)
               ? Status{}
               : damaged("watermark");
  value.remove_prefix(1);
  if (type == 'k') return restore_key_row(group, sub_key, value);
  if (type == 'p') return restore_pane(group, sub_key, value);
  if (!share_.owns(group)) return {};
  switch (type) {
    case 'd':
      waiting_groups_.insert(group);
      used_groups_[group] = true;
      return restore_waiting(value);
    case 'a': return restore_alerts(sub_key, value);
    default: return damaged("row");
  }
}

Status PaneWindows::restore_alerts(std::string_view key, std::string_view value) {
  Alerts alerts;
  do {
    std::int64_t end = 0;
    if (!take_signed(value, end) || end < kNever || end > kEverything ||
        (!alerts.empty() && end <= alerts.back()))
      return damaged("alert");
    alerts.push_back(end);
  } while (!value.empty());
  restored_alerts_.emplace_back(key, std::move(alerts));
  return {};
}

Status PaneWindows::restore_key_row(unsigned group, std::string_view sub_key,
                                    std::string_view value) {
  std::uint32_t number = 0;
  std::uint32_t entries = 0;
  if (!take_row_number(sub_key, number)) return damaged("key");
  if (group != stored_keys_.group()) STREAMD_TRY(end_rows());
  if (!stored_keys_.read(group, value, entries)) return damaged("key");
  if (share_.owns(group)) key_rows_.restored(group, number, entries);
  return {};
}

Status PaneWindows::end_rows() {
  if (stored_keys_.waits()) STREAMD_TRY(restore_keys());
  return orphans_.empty() ? Status{} : damaged("pane");
}

// The keys keep their ids when this worker goes on with its own rows, unless the ids of few keys
// are so large that the table would be mostly empty.
Status PaneWindows::restore_keys() {
  const unsigned group = stored_keys_.group();
  const auto keys = stored_keys_.keys();
  std::uint32_t limit = 0;
  for (const auto& key : keys) limit = std::max(limit, key.id + 1);
  const bool keep_ids =
      group == share_.home() && keys_.limit() == 0 && limit <= 4096 + 4 * keys.size();
  if (!keep_ids && share_.owns(group)) rows_anew_ = true;
  constexpr std::size_t kBlock = 64;
  std::vector<std::uint64_t> hashes(kBlock);
  for (std::size_t begin = 0; begin < keys.size(); begin += kBlock) {
    const std::size_t end = std::min(keys.size(), begin + kBlock);
    for (std::size_t i = begin; i < end; ++i) {
      hashes[i - begin] = hash_key(keys[i].bytes, seed_);
      keys_.prefetch_slot(hashes[i - begin]);
    }
    for (std::size_t i = begin; i < end; ++i) {
      const auto& [stored, bytes] = keys[i];
      const std::uint64_t hash = hashes[i - begin];
      if (count_key(bytes) != rules_.by) return damaged("key");
      if (share_.owns(key_group(hash)) != share_.owns(group)) rows_anew_ = true;
      if (!share_.owns(key_group(hash))) {
        stored_keys_.set(stored, StoredKeys::kForeign);
        continue;
      }
      if (keys_.find(bytes, hash) != KeyTable::kNone) return damaged("key");
      if (!keep_ids) {
        stored_keys_.set(stored, make_key({bytes, false}, hash));
        continue;
      }
      keys_.insert_as(stored, {bytes, false}, hash);
      note_key(stored, hash);
      keys_.entry(stored).flags |= Entry::kStored;
      stored_keys_.set(stored, stored);
    }
  }
  if (keep_ids) keys_.settle();
  stored_keys_.done();
  return {};
}

Status PaneWindows::restore_pane(unsigned group, std::string_view sub_key, std::string_view value) {
  const Assigner& a = rules_.assigner;
  std::int64_t start = 0;
  std::uint32_t number = 0;
  if (!take_ordered(sub_key, start) || !take_row_number(sub_key, number) ||
      start < -kTimeLimit - a.size || start > kTimeLimit || a.pane_start(start) != start)
    return damaged("pane");
  if (stored_keys_.waits()) STREAMD_TRY(restore_keys());
  Pane& pane = pane_at(start);
  auto& stored = pane.stored;
  const bool own_row = share_.owns(group);
  if (own_row) {
    stored.rows.emplace_back(static_cast<std::uint16_t>(group), number);
    if (group != share_.home()) rows_anew_ = true;
  }
  stored.next = std::max(stored.next, number + 1);
  std::uint32_t cells = 0;
  if (!take_row_count(value, cells)) return damaged("pane");
  if (own_row) stored.cells += std::min<std::uint64_t>(cells, value.size());
  return restore_cells(pane, group, value, cells) ? Status{} : damaged("pane");
}

// As in accept(): what the cells of a block touch is fetched together.
bool PaneWindows::restore_cells(Pane& pane, unsigned group, std::string_view value,
                                std::uint32_t cells) {
  constexpr std::size_t kBlock = 64;
  std::vector<StoredCell> block;
  std::vector<std::uint64_t> words(kBlock * stride_);
  const bool own_row = share_.owns(group);
  std::int64_t last = 0;
  while (cells > 0) {
    block.clear();
    bool whole = true;
    for (; cells > 0 && block.size() < kBlock; --cells) {
      StoredCell cell;
      std::int64_t step = 0;
      whole = take_signed(value, step) && step >= -last && step < Pane::kDead - last &&
              take_varint(value, cell.records) && cell.records >> 48 == 0;
      if (!whole) break;
      last += step;
      cell.words = words.data() + block.size() * stride_;
      std::fill_n(cell.words, stride_, 0);
      if (stride_ != 0 && cell.records > 0)
        whole = rules_.aggregates.decode(value, cell.words, arrivals_);
      if (!whole) break;
      cell.stored = static_cast<std::uint32_t>(last);
      cell.id = stored_keys_.find(group, cell.stored);
      if (cell.id < StoredKeys::kForeign) fetch_line(&keys_.entry(cell.id));
      block.push_back(cell);
    }
    for (const auto& cell : block) restore_cell(pane, cell, own_row);
    if (!whole) return false;
  }
  return value.empty();
}

// Takes the cell's words over, or frees them.
void PaneWindows::restore_cell(Pane& pane, const StoredCell& cell, bool own_row) {
  if (cell.id >= StoredKeys::kForeign) {
    if (own_row && cell.id == StoredKeys::kForeign) rows_anew_ = true;
    if (cell.id == StoredKeys::kNone) {
      if (cell.records > 0)
        orphans_.emplace(pane.start(), cell.stored);
      else
        orphans_.erase({pane.start(), cell.stored});
    }
    if (cell.records > 0) rules_.aggregates.free_part(cell.words);
    return;
  }
  if (!own_row) rows_anew_ = true;
  std::uint32_t at = cell_of(cell.id, pane);
  if (cell.records == 0) {
    if (at == Pane::kNone) return;
    pane.kill(at);
    bereft_.insert(cell.id);
    return;
  }
  if (at == Pane::kNone) {
    at = pane.append(cell.id);
    note_cell(keys_.entry(cell.id), pane, at);
  }
  if (stride_ != 0) {
    rules_.aggregates.free_part(pane.part(at));
    std::copy_n(cell.words, stride_, pane.part(at));
  }
  pane.set_count(at, cell.records);
}

void PaneWindows::note_cells_again(std::uint32_t id) {
  Entry& entry = keys_.entry(id);
  entry.newest = INT64_MIN;
  for (auto& [start, pane] : panes_) {
    const std::uint32_t at = pane->find(id);
    if (at != Pane::kNone) note_cell(entry, *pane, at);
  }
}

Status PaneWindows::restore_waiting(std::string_view value) {
  std::uint64_t count = 0;
  std::size_t inputs = 0;
  for (const auto& compute : rules_.aggregates.computes())
    inputs = std::max(inputs, static_cast<std::size_t>(compute.input + 1));
  if (!take_varint(value, count)) return damaged("waiting record");
  Arena arena;
  for (; count > 0; --count) {
    Waiting w;
    std::int64_t after = 0;
    std::string_view key, encoded;
    if (!take_signed(value, after) || !take_signed(value, w.time) ||
        !take_varint(value, w.number) || !take_text(value, key) || !take_text(value, encoded) ||
        after < kNever - kSizeLimit || after > kEverything || w.time < -kTimeLimit ||
        w.time > kTimeLimit)
      return damaged("waiting record");
    const auto values = decode_key(encoded, arena);
    if (count_key(key) != rules_.by || !values || values->size() != inputs)
      return damaged("waiting record");
    for (const auto& compute : rules_.aggregates.computes())
      if (compute.input >= 0 &&
          Aggregates::refuse(compute.function,
                             (*values)[static_cast<std::size_t>(compute.input)]) != nullptr)
        return damaged("waiting record");
    w.key = key;
    w.inputs = encoded;
    w.hash = hash_key(key, seed_);
    arrivals_ = std::max(arrivals_, w.number);
    waiting_[after].push_back(std::move(w));
  }
  return value.empty() ? Status{} : damaged("waiting record");
}

Status PaneWindows::restore_done() {
  STREAMD_TRY(end_rows());
  const Assigner& a = rules_.assigner;
  // Of other workers, but under groups of this one.
  std::erase_if(panes_, [this](auto& item) {
    Pane& pane = *item.second;
    if (pane.size() > 0) return false;
    forget_rows(pane);
    return true;
  });
  for (const std::uint32_t id : bereft_) note_cells_again(id);
  bereft_.clear();
  std::int64_t least = kEverything;
  for (unsigned group = share_.home(); group < share_.end(); ++group) {
    if (!used_groups_[group] && group_watermark_[group] == kNever) continue;
    least = std::min(least, group_watermark_[group]);
    furthest_ = std::max(furthest_, group_watermark_[group]);
  }
  if (furthest_ == kNever) least = kNever;
  watermark_ = least;
  closed_ = watermark_ == kNever ? kNever : a.end_until(watermark_);
  if (closed_ != kNever) {
    close_panes(closed_);
    drop_panes(closed_ - a.size + (rules_.emit == Emit::changed ? 0 : a.every));
    settle();
  }
  for (std::uint32_t id = 0; id < keys_.limit(); ++id) {
    if (!keys_.entry(id).live()) continue;
    if (is_gone(id))
      remove_key(id);
    else
      touch(id);
  }
  for (const auto& [key, alerts] : restored_alerts_) {
    if (count_key(key) != rules_.by) return damaged("alert");
    const std::uint64_t hash = hash_key(key, seed_);
    std::uint32_t id = keys_.find(key, hash);
    if (id == KeyTable::kNone) id = make_key({key, false}, hash);
    touch(id);
    if (rules_.emit == Emit::threshold) {
      set_alerts(id, alerts);
      for (const std::int64_t end : alerts) look_at_[end].push_back(id);
    } else {
      changed_alerts_.insert(key);
    }
  }
  restored_alerts_.clear();
  if (rules_.emit == Emit::threshold) changed_alerts_.clear();
  latest_ = second_ = nullptr;
  stored_keys_ = {};
  return {};
}

}  // namespace streamd::window
