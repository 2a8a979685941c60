// SPDX-License-Identifier: Apache-2.0
#include "engine/core/key.h"
#include "operators/window/key_order.h"
#include "operators/window/pane_windows.h"

#include <algorithm>
#include <optional>

namespace streamd::window {

void PaneWindows::advance(std::int64_t watermark, Emitter& out) {
  if (watermark <= watermark_) return;
  const Assigner& a = rules_.assigner;
  const std::int64_t last = a.end_until(watermark);
  while (closed_ == kNever || last - a.every >= closed_) {
    settle();
    const std::int64_t boundary = next_boundary();
    if (boundary > last) break;
    // Records that arrive while rows are emitted see this boundary as closed.
    watermark_ = std::max(watermark_, boundary);
    if (rules_.emit == Emit::changed)
      process_changed(boundary, out);
    else
      process(boundary, out);
  }
  results_.flush(out);
  // The end of the input closes what there is, not what may come when a grown input is read on.
  if (watermark == kEverything) return;
  watermark_ = watermark;
  closed_ = std::max(closed_, last);
  work_ahead();
}

// The next boundary at which a pane closes or leaves, a record stops waiting, or a row is due.
std::int64_t PaneWindows::next_boundary() const {
  const Assigner& a = rules_.assigner;
  std::int64_t next = kEverything + a.every;
  const auto at = [&](std::int64_t boundary) {
    if (closed_ != kNever) boundary = std::max(boundary, closed_ + a.every);
    next = std::min(next, boundary);
  };
  // Of keys whose panes are all still open no window has been looked at: nothing is due before the
  // first of them closes.
  const bool content = !panes_.empty() && panes_.begin()->second->closed();
  const bool every_boundary =
      !touched_.empty() || !passing_.empty() || (rules_.having_reads_window && content);
  if (every_boundary && closed_ != kNever) return closed_ + a.every;
  for (const auto& [start, pane] : panes_) {
    if (pane->closed()) continue;
    at(a.end_after(start));
    break;
  }
  if (!panes_.empty() && panes_.begin()->second->closed())
    at(a.end_until(panes_.begin()->first + a.size) + (rules_.emit == Emit::changed ? a.every : 0));
  if (!waiting_.empty()) at(waiting_.begin()->first + (rules_.emit == Emit::changed ? a.every : 0));
  if (!look_at_.empty()) at(look_at_.begin()->first);
  return next;
}

PaneWindows::Ids PaneWindows::take_touched() {
  Ids ids;
  ids.swap(touched_);
  std::size_t kept = 0;
  for (const std::uint32_t id : ids) {
    // A freed id, or one in use again, has lost the flag.
    if (!tally(id).has(kTouched)) continue;
    tally(id).clear(kTouched);
    ids[kept++] = id;
  }
  ids.resize(kept);
  return ids;
}

void PaneWindows::close_panes(std::int64_t boundary) {
  for (auto& [start, pane] : panes_) {
    if (start >= boundary) break;
    if (pane->closed()) continue;
    enter(*pane, Pane::kNone);
    pane->entered = Pane::kNone;
  }
}

void PaneWindows::drop_panes(std::int64_t before) {
  while (!panes_.empty() && panes_.begin()->first < before) {
    auto pane = std::move(panes_.extract(panes_.begin()).mapped());
    if (pane->stored.rows.empty()) left_unsaved_ = true;
    forget_rows(*pane);
    if (latest_ == pane.get()) latest_ = nullptr;
    if (second_ == pane.get()) second_ = nullptr;
    leaving_.push_back(std::move(pane));
  }
  if (rules_.emit != Emit::close) settle();
}

void PaneWindows::admit_waiting(std::int64_t until, Emitter& out) {
  std::uint64_t shed = 0;
  Arena arena;
  while (!waiting_.empty() && waiting_.begin()->first <= until) {
    const auto records = std::move(waiting_.extract(waiting_.begin()).mapped());
    waiting_changed_ = true;
    for (const auto& w : records) {
      const auto inputs = decode_key(w.inputs, arena);
      const Arrival arrival{w.time,
                            kNever,
                            {w.key, false},
                            w.hash,
                            inputs && !inputs->empty() ? inputs->data() : nullptr,
                            w.number,
                            0,
                            KeyTable::kNone,
                            Outcome::taken,
                            nullptr};
      if (insert(arrival, out) == Outcome::shed) ++shed;
    }
  }
  if (shed > 0) out.drop(DropReason::shed, shed);
}

void PaneWindows::skip_closed_groups(Ids& ids, std::int64_t boundary) {
  if (furthest_ < boundary) return;
  std::erase_if(ids, [&](std::uint32_t id) {
    if (group_watermark_[keys_.entry(id).group] < boundary) return false;
    touch(id);
    return true;
  });
}

void PaneWindows::sum_up(std::uint32_t id) {
  if (!sums_late_ || is_summed(tally(id)) || stride_ == 0) return;
  tally(id).set(kSummed);
  summed_.push_back(id);
  const Entry& entry = keys_.entry(id);
  for (auto& [start, pane] : panes_) {
    if (pane->entered == 0) continue;
    const std::uint32_t at = cell_of(id, entry, *pane);
    if (at < pane->entered && at != Pane::kNone)
      rules_.aggregates.enter(running(id), pane->part(at));
  }
}

void PaneWindows::forget_sums() {
  std::erase_if(summed_, [this](std::uint32_t id) {
    Tally& tally = this->tally(id);
    if (!tally.has(kSummed)) return true;
    if (tally.count >= needed_) return false;
    rules_.aggregates.free_running(running(id));
    tally.clear(kSummed);
    return true;
  });
}

Results::Row PaneWindows::row_of(std::uint32_t id, std::int64_t boundary) {
  sum_up(id);
  return {keys_.entry(id).bytes(),
          boundary - rules_.assigner.size,
          boundary,
          boundary - 1,
          0,
          running(id),
          true,
          tally(id).count};
}

std::vector<bool> PaneWindows::passes(const Ids& ids, std::int64_t boundary, Emitter* out) {
  std::vector<bool> result(ids.size());
  if (least_ != 0) {
    for (std::size_t i = 0; i < ids.size(); ++i) result[i] = tally(ids[i]).count >= least_;
    return result;
  }
  Results rows(rules_, results_.origin());
  std::vector<std::size_t> index;
  std::vector<std::uint32_t> kept;
  std::vector<expr::Program::Failure> failed;
  const auto evaluate = [&] {
    Arena arena;
    const Batch batch = rows.take();
    rules_.having->select(batch, arena, kept, failed);
    for (const std::uint32_t row : kept) result[index[row]] = true;
    if (out != nullptr) fail_undecided(batch, failed, *out);
    index.clear();
  };
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (tally(ids[i]).count < std::max<std::uint64_t>(needed_, 1)) continue;
    rows.add(row_of(ids[i], boundary));
    index.push_back(i);
    if (rows.full()) evaluate();
  }
  if (!index.empty()) evaluate();
  return result;
}

void PaneWindows::process(std::int64_t boundary, Emitter& out) {
  const Assigner& a = rules_.assigner;
  close_panes(boundary);
  if (rules_.having_reads_window) {
    for (std::uint32_t id = 0; id < keys_.limit(); ++id)
      if (keys_.entry(id).live()) touch(id);
  }
  while (!look_at_.empty() && look_at_.begin()->first <= boundary) {
    for (const std::uint32_t id : look_at_.begin()->second)
      if (keys_.entry(id).live()) touch(id);
    look_at_.erase(look_at_.begin());
  }
  Ids visited = take_touched();
  closed_ = boundary;
  skip_closed_groups(visited, boundary);
  if (rules_.emit == Emit::close)
    emit_close(visited, boundary, out);
  else
    emit_threshold(visited, boundary, out);
  for (const std::uint32_t id : visited)
    if (is_gone(id) && !tally(id).has(kAlerted)) remove_key(id);
  forget_sums();
  drop_panes(boundary + a.every - a.size);
  admit_waiting(boundary, out);
}

void PaneWindows::emit_rows(const Ids& sorted, std::int64_t boundary, Emitter& out) {
  constexpr std::size_t kAhead = 16;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i + kAhead < sorted.size()) {
      fetch_line(&keys_.entry(sorted[i + kAhead]));
      fetch(sorted[i + kAhead]);
    }
    results_.add(row_of(sorted[i], boundary));
    if (results_.full()) results_.flush(out);
  }
}

void PaneWindows::emit_close(const Ids& visited, std::int64_t boundary, Emitter& out) {
  const std::vector<bool> pass = passes(visited, boundary, &out);
  bool some_left = false;
  std::size_t old = passing_.size();
  for (std::size_t i = 0; i < visited.size(); ++i) {
    Tally& tally = this->tally(visited[i]);
    const bool listed = tally.has(kListed);
    tally.clear(kPasses);
    if (pass[i]) {
      tally.set(kPasses);
      tally.set(kListed);
      if (!listed) passing_.push_back(visited[i]);
    } else {
      some_left = some_left || listed;
    }
  }
  const auto listed_end = passing_.begin() + static_cast<std::ptrdiff_t>(old);
  if (some_left) {
    const auto kept_end = std::remove_if(passing_.begin(), listed_end, [this](std::uint32_t id) {
      if (tally(id).has(kPasses)) return false;
      tally(id).clear(kListed);
      return true;
    });
    old = static_cast<std::size_t>(kept_end - passing_.begin());
    passing_.erase(kept_end, listed_end);
  }
  // What is there stays sorted; only what came has to be put in its place.
  sort_by_key(std::span(passing_).subspan(old), keys_);
  std::inplace_merge(passing_.begin(), passing_.begin() + static_cast<std::ptrdiff_t>(old),
                     passing_.end(), [this](std::uint32_t a, std::uint32_t b) {
                       return keys_.entry(a).bytes() < keys_.entry(b).bytes();
                     });
  if (furthest_ < boundary) return emit_rows(passing_, boundary, out);
  Ids due = passing_;
  std::erase_if(
      due, [&](std::uint32_t id) { return group_watermark_[keys_.entry(id).group] >= boundary; });
  emit_rows(due, boundary, out);
}

void PaneWindows::emit_threshold(const Ids& visited, std::int64_t boundary, Emitter& out) {
  const std::vector<bool> pass = passes(visited, boundary, &out);
  Ids firing;
  for (std::size_t i = 0; i < visited.size(); ++i) {
    const std::uint32_t id = visited[i];
    tally(id).clear(kPasses);
    if (pass[i]) tally(id).set(kPasses);
    Alerts alerts = alerts_of(id);
    const bool goes_on = !alerts.empty() && alerts.front() < boundary;
    if (pass[i] && !goes_on && !is_told(alerts, boundary)) firing.push_back(id);
    // Of the closed ones the first stays while the run does.
    const auto closed = std::upper_bound(alerts.begin(), alerts.end(), boundary);
    alerts.erase(alerts.begin() + (pass[i] && closed != alerts.begin() ? 1 : 0), closed);
    set_alerts(id, std::move(alerts));
  }
  sort_by_key(firing, keys_);
  for (const std::uint32_t id : firing) {
    fire(id, boundary, boundary - 1);
    Alerts alerts = alerts_of(id);
    add_alert(alerts, boundary);
    set_alerts(id, std::move(alerts));
    if (results_.full()) results_.flush(out);
  }
}

// Emits the keys whose values differ from what the window before gave.
void PaneWindows::process_changed(std::int64_t boundary, Emitter& out) {
  const Assigner& a = rules_.assigner;
  if (rules_.having_reads_window) {
    for (std::uint32_t id = 0; id < keys_.limit(); ++id)
      if (keys_.entry(id).live()) touch(id);
  }
  for (auto& [start, pane] : panes_) {
    const bool leaves = start < boundary - a.size;
    if (start >= boundary || (pane->closed() && !leaves)) continue;
    for (std::uint32_t at = 0; at < pane->size(); ++at)
      if (pane->id_of(at) != Pane::kDead) touch(pane->id_of(at));
  }
  for (const auto& [after, records] : waiting_) {
    if (after >= boundary) break;
    for (const auto& w : records) {
      const std::uint32_t id = keys_.find(w.key, w.hash);
      if (id != KeyTable::kNone) touch(id);
    }
  }
  const auto values_of = [&](const Ids& ids, std::int64_t end, Emitter* told) {
    std::vector<std::optional<std::string>> values(ids.size());
    const std::vector<bool> pass = passes(ids, end, told);
    Arena arena;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!pass[i]) continue;
      values[i].emplace();
      for (std::size_t c = 0; c < rules_.aggregates.size(); ++c)
        append_key(rules_.aggregates.running_result(c, running(ids[i]), tally(ids[i]).count, a.size,
                                                    arena),
                   *values[i]);
    }
    return values;
  };
  Ids visited = touched_;
  std::unordered_map<std::string, std::string> before;
  {
    const auto values = values_of(visited, boundary - a.every, nullptr);
    for (std::size_t i = 0; i < visited.size(); ++i)
      if (values[i]) before.emplace(keys_.entry(visited[i]).bytes(), *values[i]);
  }
  admit_waiting(boundary - 1, out);
  close_panes(boundary);
  drop_panes(boundary - a.size);
  visited = take_touched();
  closed_ = boundary;
  skip_closed_groups(visited, boundary);
  sort_by_key(visited, keys_);
  const auto now = values_of(visited, boundary, &out);
  for (std::size_t i = 0; i < visited.size(); ++i) {
    if (now[i]) {
      const auto found = before.find(std::string(keys_.entry(visited[i]).bytes()));
      if (found == before.end() || found->second != *now[i]) {
        results_.add(row_of(visited[i], boundary));
        if (results_.full()) results_.flush(out);
      }
    }
  }
  for (const std::uint32_t id : visited)
    if (is_gone(id)) remove_key(id);
}

}  // namespace streamd::window
