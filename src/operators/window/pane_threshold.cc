// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane_windows.h"

#include <algorithm>

namespace streamd::window {

// Those of all panes that are still there, closed and open.
std::uint64_t PaneWindows::kept_records(std::uint32_t id) const {
  std::uint64_t records = keys_.entry(id).count;
  for (auto pane = panes_.rbegin(); pane != panes_.rend() && !pane->second->closed; ++pane) {
    const std::uint32_t at = cell_of(id, *pane->second);
    if (at != Pane::kNone) records += pane->second->count_of(at);
  }
  return records;
}

// Makes the running value that of each window the record is in, one after the other, and puts it
// back. What is kept for the key (closed and open panes together) is only an upper bound of any one
// window, so it serves as a filter and never as the answer.
void PaneWindows::check_now(std::uint32_t id, std::int64_t time) {
  const Entry& entry = keys_.entry(id);
  if ((entry.flags & kFired) != 0) return;
  if (least_ != 0 && kept_records(id) < least_) return;
  const Assigner& a = rules_.assigner;
  const std::int64_t closed = closed_for(entry.group);
  const std::int64_t last = std::min(a.end_after(entry.newest), a.end_until(time + a.size));
  struct Step {
    Pane* pane;
    std::uint32_t at;
    bool entered;
  };
  std::vector<Step> steps;
  std::uint64_t* words = running(id);
  std::uint64_t& count = keys_.entry(id).count;
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
  std::int64_t fired = kNever;
  for (std::int64_t end = a.end_after(std::max(time, closed)); end <= last; end += a.every) {
    for (; entering != panes_.end() && entering->first < end; ++entering)
      if (!entering->second->closed) apply(*entering->second, true);
    for (; leaving != panes_.end() && leaving->first < end - a.size; ++leaving)
      apply(*leaving->second, false);
    if (!passes({id}, end, nullptr)[0]) continue;
    fired = end;
    fire(id, end, time);
    break;
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
  if (fired != kNever) look_at_[fired].push_back(id);
}

void PaneWindows::fire(std::uint32_t id, std::int64_t end, std::int64_t time) {
  Results::Row row = row_of(id, end);
  row.time = time;
  row.edge = 1;
  results_.add(row);
  Entry& entry = keys_.entry(id);
  entry.flags |= kFired;
  fired_[id] = end;
  changed_alerts_.emplace(entry.bytes());
}

void PaneWindows::arm(std::uint32_t id) {
  Entry& entry = keys_.entry(id);
  clear(entry, kFired);
  fired_.erase(id);
  changed_alerts_.emplace(entry.bytes());
}

}  // namespace streamd::window
