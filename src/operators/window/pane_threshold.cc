// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane_windows.h"

#include <algorithm>

namespace streamd::window {

// visit(pane, position)
template <class Visit>
void PaneWindows::each_open_cell(std::uint32_t id, Visit&& visit) const {
  for (auto pane = panes_.rbegin(); pane != panes_.rend() && !pane->second->closed(); ++pane)
    if (const std::uint32_t at = cell_of(id, *pane->second); at != Pane::kNone)
      visit(*pane->second, at);
}

// Those of all panes that are still there, closed and open.
std::uint64_t PaneWindows::kept_records(std::uint32_t id) const {
  std::uint64_t records = tally(id).count;
  each_open_cell(id, [&](Pane& pane, std::uint32_t at) { records += pane.count_of(at); });
  return records;
}

// After a record. Only records bring what is kept for a key closer to `needed_`, so it is counted
// again when so many have come that it could be there.
bool PaneWindows::is_far(std::uint32_t id) {
  if (far_[id] > 0) {
    --far_[id];
    return true;
  }
  const std::uint64_t kept = kept_records(id);
  if (kept >= needed_) return is_far_from_floors(id, kept);
  far_[id] = static_cast<std::uint32_t>(std::min<std::uint64_t>(needed_ - kept - 1, UINT32_MAX));
  return true;
}

// By how many records at least the floors are out of reach.
std::uint64_t PaneWindows::missing(const std::uint64_t* words, std::uint64_t records) const {
  Arena arena;
  std::uint64_t most = 0;
  for (const auto& [compute, least] : rules_.floors) {
    const Value count =
        rules_.aggregates.running_result(compute, words, records, rules_.assigner.size, arena);
    const auto there = static_cast<std::uint64_t>(count.as_int());
    if (there < least) most = std::max(most, least - there);
  }
  return most;
}

// The same with floors, of all that is kept for the key. There may be very many values: to add them
// up for every record would take longer with each.
bool PaneWindows::is_far_from_floors(std::uint32_t id, std::uint64_t kept) {
  if (!has_floors()) return false;
  std::uint64_t* const words = running(id);
  std::vector<const std::uint64_t*> entered;
  each_open_cell(id, [&](Pane& pane, std::uint32_t at) {
    entered.push_back(pane.part(at));
    rules_.aggregates.enter(words, entered.back());
  });
  const std::uint64_t far = missing(words, kept);
  for (const std::uint64_t* const part : entered) rules_.aggregates.leave(words, part);
  if (far == 0) return false;
  far_[id] = static_cast<std::uint32_t>(std::min<std::uint64_t>(far - 1, UINT32_MAX));
  return true;
}

// Behind the key's newest pane each window holds no more than the one before it: where `having` is
// true up to there, it can only become true at the end of that run.
bool PaneWindows::is_within_run(std::uint32_t id, std::int64_t first) const {
  const Outlook& outlook = outlooks_[id];
  return outlook.from <= first &&
         outlook.until >= std::max(first, rules_.assigner.end_after(keys_.entry(id).newest));
}

// For the same reason the windows behind the first one are out of reach when that is.
bool PaneWindows::is_foreseen(std::uint32_t id, std::int64_t time, std::int64_t first) {
  if (!has_floors()) return grows_ && is_within_run(id, first);
  Outlook& outlook = outlooks_[id];
  if (outlook.misses > 0) --outlook.misses;
  if (is_within_run(id, first)) return true;
  const bool out_of_reach =
      time >= keys_.entry(id).newest && outlook.end == first && outlook.misses > 0;
  return out_of_reach || (needed_ > 1 && is_far(id));
}

// Exactly those of one window that is not closed.
std::uint64_t PaneWindows::records_in(std::uint32_t id, std::int64_t end) const {
  std::uint64_t records = tally(id).count;
  const auto count_in = [&](Pane& pane) -> std::uint64_t {
    const std::uint32_t at = cell_of(id, pane);
    return at == Pane::kNone ? 0 : pane.count_of(at);
  };
  const std::int64_t start = end - rules_.assigner.size;
  for (auto pane = panes_.begin(); pane != panes_.end() && pane->first < start; ++pane)
    if (pane->second->closed()) records -= count_in(*pane->second);
  for (auto pane = panes_.rbegin(); pane != panes_.rend() && !pane->second->closed(); ++pane)
    if (pane->first >= start && pane->first < end) records += count_in(*pane->second);
  return records;
}

void PaneWindows::add_alert(Alerts& alerts, std::int64_t end) {
  alerts.insert(std::lower_bound(alerts.begin(), alerts.end(), end), end);
}

// Whether the run that begins with this window was told; then its mark stands at its beginning. A
// mark may be one window behind, because the run has just grown towards the past, or before it,
// where a window no longer passes (`orphan`): the run is the same.
bool PaneWindows::is_told(Alerts& alerts, std::int64_t end,
                          std::optional<std::int64_t> orphan) const {
  const auto move = [&](std::int64_t from) {
    const auto mark = std::find(alerts.begin(), alerts.end(), from);
    if (mark == alerts.end()) return false;
    alerts.erase(mark);
    add_alert(alerts, end);
    return true;
  };
  if (std::find(alerts.begin(), alerts.end(), end) != alerts.end()) return true;
  if (move(end + rules_.assigner.every)) return true;
  return orphan && move(*orphan);
}

// After a record: makes the running value that of each window the record is in, one after the
// other, and puts it back. What is kept for the key (closed and open panes together) is only an
// upper bound of any one window, so it serves as a filter and never as the answer.
void PaneWindows::check_now(std::uint32_t id, std::int64_t time) {
  if (!has_floors() && needed_ > 1 && is_far(id)) return;
  const Entry& entry = keys_.entry(id);
  const Assigner& a = rules_.assigner;
  const std::int64_t closed = closed_for(entry.group);
  const std::int64_t first = a.end_after(std::max(time, closed));
  if (is_foreseen(id, time, first)) return;
  const bool behind_all = time >= entry.newest;
  if (least_ != 0 && behind_all && records_in(id, first) < least_) return;
  const std::int64_t last = std::min(a.end_after(entry.newest), a.end_until(time + a.size));
  struct Step {
    Pane* pane;
    std::uint32_t at;
    bool entered;
  };
  std::vector<Step> steps;
  std::uint64_t* words = running(id);
  std::uint64_t& count = tally(id).count;
  const auto apply = [&](Pane& pane, bool enter) {
    const std::uint32_t at = cell_of(id, pane);
    if (at == Pane::kNone) return;
    steps.push_back({&pane, at, enter});
    if (enter) {
      count += pane.count_of(at);
      rules_.aggregates.enter(words, pane.part(at));
    } else {
      count -= pane.count_of(at);
      rules_.aggregates.leave(words, pane.part(at));
    }
  };
  auto entering = panes_.begin();
  auto leaving = panes_.begin();
  Alerts alerts = alerts_of(id);
  const std::int64_t before = first - a.every;  // its windows decide whether a run begins
  bool in_run = before <= closed && !alerts.empty() && alerts.front() <= closed;
  std::optional<std::int64_t> orphan;
  for (std::int64_t end = before > closed ? before : first; end <= last; end += a.every) {
    for (; entering != panes_.end() && entering->first < end; ++entering)
      if (!entering->second->closed()) apply(*entering->second, true);
    for (; leaving != panes_.end() && leaving->first < end - a.size; ++leaving)
      apply(*leaving->second, false);
    const auto mark = std::find(alerts.begin(), alerts.end(), end);
    const bool marked = mark != alerts.end();
    const bool pass = passes({id}, end, nullptr)[0];
    if (!pass && marked) orphan = end;
    if (pass && in_run && marked) alerts.erase(mark);
    if (pass && !in_run && !marked && end != before) {
      if (!is_told(alerts, end, orphan)) {
        fire(id, end, time);
        add_alert(alerts, end);
      }
      look_at_[end].push_back(id);
    }
    if (pass) orphan.reset();
    in_run = pass;
    if (grows_ && pass && end >= first) outlooks_[id].add(end, a.every);
    if (has_floors() && !pass && end == first && behind_all)
      outlooks_[id].expect(end, missing(words, count));
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const std::uint64_t records = step->pane->count_of(step->at);
    if (step->entered) {
      count -= records;
      rules_.aggregates.leave(words, step->pane->part(step->at));
    } else {
      count += records;
      rules_.aggregates.enter(words, step->pane->part(step->at));
    }
  }
  set_alerts(id, std::move(alerts));
}

void PaneWindows::fire(std::uint32_t id, std::int64_t end, std::int64_t time) {
  Results::Row row = row_of(id, end);
  row.time = time;
  row.edge = 1;
  results_.add(row);
}

PaneWindows::Alerts PaneWindows::alerts_of(std::uint32_t id) const {
  if (!tally(id).has(kAlerted)) return {};
  return alerts_.at(id);
}

void PaneWindows::set_alerts(std::uint32_t id, Alerts alerts) {
  const bool had = tally(id).has(kAlerted);
  if (alerts.empty() ? !had : had && alerts_.at(id) == alerts) return;
  changed_alerts_.emplace(keys_.entry(id).bytes());
  if (alerts.empty()) {
    tally(id).clear(kAlerted);
    alerts_.erase(id);
  } else {
    tally(id).set(kAlerted);
    alerts_[id] = std::move(alerts);
  }
}

}  // namespace streamd::window
