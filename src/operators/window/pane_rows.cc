// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane_rows.h"

#include "engine/core/key.h"
#include "operators/window/pane_windows.h"

#include <algorithm>

namespace streamd::window {
namespace {

constexpr std::size_t kRowBytes = 256 * 1024;
constexpr std::uint32_t kMaxRows = 1u << 31;

tl::unexpected<Error> damaged(const char* what) {
  return fail(ErrorKind::state, std::string("the stored ") + what + " of a window is damaged");
}

}  // namespace

void PaneWindows::checkpoint(StateWriter& state) {
  for (const auto& [group, sub_key] : gone_rows_) state.erase(group, sub_key);
  gone_rows_.clear();
  for (auto& [start, pane] : panes_) write_pane(*pane, state);
  for (const auto& key : changed_alerts_) {
    const std::uint64_t hash = hash_key(key, seed_);
    const std::uint32_t id = keys_.find(key, hash);
    const Alerts alerts = id == KeyTable::kNone ? Alerts{} : alerts_of(id);
    if (alerts.empty()) {
      state.erase(key_group(hash), "a" + key);
    } else {
      std::string value(1, kRowVersion);
      for (const std::int64_t end : alerts) put_signed(value, end);
      state.put(key_group(hash), "a" + key, value);
    }
  }
  changed_alerts_.clear();
  if (waiting_changed_) write_waiting(state);
  watermark_row_.checkpoint(group_times(), state);
}

GroupTimes PaneWindows::group_times() const {
  GroupTimes times;
  for (unsigned group = 0; group < kKeyGroups; ++group) times[group] = closed_for(group);
  return times;
}

void PaneWindows::forget_rows(const Pane& pane) {
  for (const auto& [group, number] : pane.stored.rows) {
    gone_rows_.emplace_back(group, std::string());
    append_pane_row_key(pane.start(), number, gone_rows_.back().second);
  }
}

// Rows of a pane hold what changed since the row before. When superseded cells outweigh the live
// ones, the pane is written anew, so a pane costs a constant factor of its size however many
// checkpoints it lives through.
void PaneWindows::write_pane(Pane& pane, StateWriter& state) {
  auto& stored = pane.stored;
  std::vector<std::uint32_t> positions = pane.take_changed();
  if (positions.empty() && stored.removed_keys.empty() && !stored.anew) return;
  if (stored.anew || stored.cells + positions.size() > 2 * std::uint64_t{pane.size()} + 64) {
    for (const auto& [group, number] : stored.rows) {
      std::string sub_key;
      append_pane_row_key(pane.start(), number, sub_key);
      state.erase(group, sub_key);
    }
    stored.rows.clear();
    stored.cells = 0;
    stored.anew = false;
    stored.removed_keys.clear();
    positions.clear();
    for (std::uint32_t at = 0; at < pane.size(); ++at)
      if (pane.id_of(at) != Pane::kDead) positions.push_back(at);
  }
  const unsigned home = share_.home();
  std::string& cells = row_;
  std::uint64_t count = 0;
  const auto write = [&] {
    std::string sub_key;
    append_pane_row_key(pane.start(), stored.next, sub_key);
    std::string front(1, kRowVersion);
    put_varint(front, count);
    cells.insert(0, front);
    state.put(home, sub_key, cells);
    stored.rows.emplace_back(static_cast<std::uint16_t>(home), stored.next++);
    stored.cells += count;
    cells.clear();
    count = 0;
  };
  for (const auto& key : stored.removed_keys) {
    put_text(cells, key);
    put_varint(cells, 0);
    ++count;
  }
  stored.removed_keys.clear();
  constexpr std::size_t kAhead = 16;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (i + kAhead < positions.size())
      __builtin_prefetch(&keys_.entry(pane.id_of(positions[i + kAhead])));
    const std::uint32_t at = positions[i];
    put_text(cells, keys_.entry(pane.id_of(at)).bytes());
    put_varint(cells, pane.count_of(at));
    rules_.aggregates.encode(pane.part(at), cells);
    ++count;
    if (cells.size() >= kRowBytes) write();
  }
  if (count > 0) write();
}

void PaneWindows::write_waiting(StateWriter& state) {
  std::map<unsigned, std::pair<std::uint64_t, std::string>> rows;
  for (const auto& [after, records] : waiting_)
    for (const auto& w : records) {
      auto& [count, bytes] = rows[key_group(w.hash)];
      ++count;
      put_signed(bytes, after);
      put_signed(bytes, w.time);
      put_varint(bytes, w.number);
      put_text(bytes, w.key);
      put_text(bytes, w.inputs);
    }
  for (const unsigned group : waiting_groups_)
    if (!rows.contains(group)) state.erase(group, "d");
  waiting_groups_.clear();
  for (const auto& [group, row] : rows) {
    std::string value(1, kRowVersion);
    put_varint(value, row.first);
    state.put(group, "d", value + row.second);
    waiting_groups_.insert(group);
    used_groups_[group] = true;
  }
  waiting_changed_ = false;
}

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

Status PaneWindows::restore_pane(unsigned group, std::string_view sub_key, std::string_view value) {
  const Assigner& a = rules_.assigner;
  std::int64_t start = 0;
  if (!take_ordered(sub_key, start) || sub_key.size() != 4) return damaged("pane");
  std::uint32_t number = 0;
  for (const char c : sub_key) number = (number << 8) | static_cast<unsigned char>(c);
  if (number >= kMaxRows || start < -kTimeLimit - a.size || start > kTimeLimit ||
      a.pane_start(start) != start)
    return damaged("pane");
  Pane& pane = pane_at(start);
  auto& stored = pane.stored;
  const bool own_row = share_.owns(group);
  if (own_row) {
    stored.rows.emplace_back(static_cast<std::uint16_t>(group), number);
    if (group != share_.home()) stored.anew = true;
  }
  stored.next = std::max(stored.next, number + 1);
  std::uint64_t cells = 0;
  if (!take_varint(value, cells)) return damaged("pane");
  if (own_row) stored.cells += std::min<std::uint64_t>(cells, value.size());
  // As in accept(): what the cells of a block touch is fetched together.
  constexpr std::size_t kBlock = 64;
  std::vector<StoredCell> block;
  std::vector<std::uint64_t> words(kBlock * stride_);
  while (cells > 0) {
    block.clear();
    bool whole = true;
    for (; whole && cells > 0 && block.size() < kBlock; --cells) {
      StoredCell cell;
      whole =
          take_text(value, cell.key) && take_varint(value, cell.records) && cell.records >> 48 == 0;
      if (!whole) break;
      cell.words = words.data() + block.size() * stride_;
      std::fill_n(cell.words, stride_, 0);
      whole = cell.records == 0 || rules_.aggregates.decode(value, cell.words, arrivals_);
      if (!whole) break;
      cell.hash = hash_key(cell.key, seed_);
      keys_.prefetch_slot(cell.hash);
      block.push_back(cell);
    }
    for (auto& cell : block) cell.guess = keys_.guess(cell.hash);
    for (const auto& cell : block) whole = restore_cell(pane, cell, own_row) && whole;
    if (!whole) return damaged("pane");
  }
  return value.empty() ? Status{} : damaged("pane");
}

// Takes the cell's words over, or frees them. False: its key is none.
bool PaneWindows::restore_cell(Pane& pane, const StoredCell& cell, bool own_row) {
  const bool own_key = share_.owns(key_group(cell.hash));
  if (own_key != own_row) pane.stored.anew = true;
  std::uint32_t id =
      keys_.is(cell.guess, {cell.key, false}) ? cell.guess : keys_.find(cell.key, cell.hash);
  bool good = true;
  if (id == KeyTable::kNone) {
    const auto values = decode_key(cell.key);
    good = values && values->size() == rules_.by;
  }
  if (!own_key || !good) {
    if (cell.records > 0) rules_.aggregates.free_part(cell.words);
    return good;
  }
  std::uint32_t at = id == KeyTable::kNone ? Pane::kNone : cell_of(id, pane);
  if (cell.records == 0) {
    if (at == Pane::kNone) return true;
    pane.kill(at);
    --keys_.entry(id).cells;
    return true;
  }
  if (id == KeyTable::kNone) id = make_key({cell.key, false}, cell.hash);
  if (at == Pane::kNone) {
    at = pane.append(id);
    note_cell(keys_.entry(id), pane, at);
  }
  rules_.aggregates.free_part(pane.part(at));
  std::copy_n(cell.words, rules_.aggregates.words(), pane.part(at));
  pane.set_count(at, cell.records);
  return true;
}

Status PaneWindows::restore_waiting(std::string_view value) {
  std::uint64_t count = 0;
  std::size_t inputs = 0;
  for (const auto& compute : rules_.aggregates.computes())
    inputs = std::max(inputs, static_cast<std::size_t>(compute.input + 1));
  if (!take_varint(value, count)) return damaged("waiting record");
  for (; count > 0; --count) {
    Waiting w;
    std::int64_t after = 0;
    std::string_view key, encoded;
    if (!take_signed(value, after) || !take_signed(value, w.time) ||
        !take_varint(value, w.number) || !take_text(value, key) || !take_text(value, encoded) ||
        after < kNever - kSizeLimit || after > kEverything || w.time < -kTimeLimit ||
        w.time > kTimeLimit)
      return damaged("waiting record");
    const auto fields = decode_key(key);
    const auto values = decode_key(encoded);
    if (!fields || fields->size() != rules_.by || !values || values->size() != inputs)
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
  const Assigner& a = rules_.assigner;
  // Of other workers, but under groups of this one.
  std::erase_if(panes_, [this](auto& item) {
    Pane& pane = *item.second;
    if (pane.size() > 0) return false;
    forget_rows(pane);
    return true;
  });
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
  }
  for (std::uint32_t id = 0; id < keys_.limit(); ++id) {
    if (!keys_.entry(id).live()) continue;
    if (keys_.entry(id).cells == 0)
      remove_key(id);
    else
      touch(id);
  }
  for (const auto& [key, alerts] : restored_alerts_) {
    const auto values = decode_key(key);
    if (!values || values->size() != rules_.by) return damaged("alert");
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
  return {};
}

}  // namespace streamd::window
