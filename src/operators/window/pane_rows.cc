// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane_rows.h"

#include "engine/core/key.h"
#include "operators/window/pane_windows.h"

#include <utility>

namespace streamd::window {
void PaneWindows::checkpoint(StateWriter& state) {
  for (const auto& [group, sub_key] : gone_rows_) state.erase(group, sub_key);
  gone_rows_.clear();
  key_rows_.checkpoint(keys_, rows_anew_, state);
  for (auto& [start, pane] : panes_) write_pane(*pane, state);
  rows_anew_ = false;
  rows_ahead_ = !left_unsaved_;
  left_unsaved_ = false;
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
  for (const auto& [group, number] : pane.stored.rows)
    gone_rows_.emplace_back(group, pane_row_key(pane.start(), number));
}

// Rows of a pane hold what changed since the row before. When superseded cells outweigh the live
// ones, the pane is written anew, so a pane costs a constant factor of its size however many
// checkpoints it lives through.
void PaneWindows::write_pane(Pane& pane, StateWriter& state) {
  auto& stored = pane.stored;
  if (rows_anew_ || is_due_anew(pane)) {
    for (const auto& [group, number] : stored.rows)
      state.erase(group, pane_row_key(pane.start(), number));
    stored.rows.clear();
    stored.cells = 0;
    stored.ready.clear();
    stored.removed.clear();
    pane.change_all();
  }
  encode_changed(pane, pane.changed());
  const unsigned home = share_.home();
  for (RowBytes& row : std::exchange(stored.ready, {})) {
    state.hand_over(home, pane_row_key(pane.start(), stored.next), std::move(row).value());
    stored.rows.emplace_back(static_cast<std::uint16_t>(home), stored.next++);
  }
}

bool PaneWindows::is_due_anew(const Pane& pane) {
  return pane.stored.cells + pane.changed() > 2 * std::uint64_t{pane.size()} + 64;
}

// What was removed comes first: the id may be that of another key by now.
void PaneWindows::encode_changed(Pane& pane, std::size_t most) {
  auto& ready = pane.stored.ready;
  const auto put = [&](std::uint32_t id, std::uint64_t records) {
    if (ready.empty() || ready.back().is_full()) ready.emplace_back();
    RowBytes& row = ready.back();
    row.count_entry();
    put_signed(row.bytes, std::int64_t{id} - row.last);
    put_varint(row.bytes, records);
    row.last = id;
    ++pane.stored.cells;
  };
  for (const std::uint32_t id : std::exchange(pane.stored.removed, {})) put(id, 0);
  pane.take_changed(most, [&](std::uint32_t id, std::uint64_t records, const std::uint64_t* part) {
    put(id, records);
    if (stride_ != 0) rules_.aggregates.encode(part, ready.back().bytes);
  });
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

}  // namespace streamd::window
