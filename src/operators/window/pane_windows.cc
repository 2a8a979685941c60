// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane_windows.h"

#include "engine/core/fetch_line.h"
#include "engine/core/key.h"

#include <algorithm>
#include <utility>

namespace streamd::window {

namespace {

std::uint64_t least_of(const Rules& rules) {
  if (rules.least_count) return std::max<std::uint64_t>(*rules.least_count, 1);
  return rules.having ? 0 : 1;
}

// What `changed` says of a key depends on what it said before.
std::uint64_t needed_by(const Rules& rules) {
  if (rules.emit == Emit::changed) return 0;
  return std::max(least_of(rules), rules.needed_count);
}

}  // namespace

std::uint8_t PaneWindows::flag_to_compare(const Rules& rules) {
  if (least_of(rules) == 0 || rules.emit == Emit::changed) return 0;
  return kPasses;
}

PaneWindows::PaneWindows(const Rules& rules, std::shared_ptr<const Origin> origin,
                         std::uint64_t seed, Share share)
    : rules_(rules),
      seed_(seed),
      share_(share),
      stride_(rules.aggregates.words()),
      counts_values_(!rules.aggregates.counted_inputs().empty()),
      grows_(rules.emit == Emit::threshold && (least_of(rules) != 0 || !rules.floors.empty())),
      least_(least_of(rules)),
      needed_(needed_by(rules)),
      sums_late_(rules.emit == Emit::close && needed_ > 1),
      told_(flag_to_compare(rules)),
      results_(rules, std::move(origin)),
      key_rows_(share),
      watermark_row_(share) {
  group_watermark_.fill(kNever);
}

PaneWindows::~PaneWindows() {
  if (stride_ == 0) return;
  for (std::uint32_t id = 0; id < keys_.limit(); ++id)
    if (keys_.entry(id).live()) rules_.aggregates.free_running(running(id));
}

void PaneWindows::fetch_ahead(std::span<Arrival> block) const {
  for (const auto& arrival : block) keys_.prefetch_slot(arrival.hash);
  for (auto& arrival : block) arrival.guess = keys_.guess(arrival.hash);
  for (const auto& arrival : block) {
    if (arrival.guess == KeyTable::kNone) continue;
    const Entry& entry = keys_.entry(arrival.guess);
    if (entry.key_size > Entry::kShort) fetch_line(entry.data());
    const Pane* const pane = recent_pane(arrival.time);
    if (pane != nullptr && pane->start() <= entry.newest) pane->prefetch(entry.hint[pane->side()]);
  }
}

void PaneWindows::fetch_parts(std::span<const Arrival> block) const {
  for (const auto& arrival : block) {
    if (arrival.guess == KeyTable::kNone) continue;
    const Pane* const pane = recent_pane(arrival.time);
    if (pane == nullptr) continue;
    const std::uint32_t hint = keys_.entry(arrival.guess).hint[pane->side()];
    if (pane->holds(hint, arrival.guess))
      rules_.aggregates.fetch(pane->part(hint), arrival.counted);
  }
}

[[gnu::always_inline]] inline PaneWindows::Place PaneWindows::place_of(std::uint32_t id,
                                                                       Pane& pane) {
  Entry& entry = keys_.entry(id);
  const bool newer = pane.start() > entry.newest;
  std::uint32_t at = entry.hint[pane.side()];
  if (!newer)
    if (std::uint64_t* const cell = pane.cell_if(at, id)) return {at, cell};
  at = newer ? Pane::kNone : other_cell_of(id, entry, pane);
  if (at == Pane::kNone) {
    at = pane.append(id);
    note_cell(entry, pane, at);
  }
  return {at, pane.cell(at)};
}

// What every record costs in every window: a call of it, and of what finds its key, took 6 % more.
[[gnu::always_inline]] inline Outcome PaneWindows::add(const Arrival& arrival, Emitter& out) {
  std::uint32_t id = keys_.find(arrival.key, {arrival.hash, arrival.guess});
  if (id == KeyTable::kNone) [[unlikely]] {
    id = new_key(arrival.key, arrival.hash, out);
    if (id == KeyTable::kNone) return Outcome::shed;
  }
  Pane* const recent = recent_pane(arrival.time);
  Pane& pane = recent != nullptr ? *recent : pane_at(arrival.time);
  const auto [at, cell] = place_of(id, pane);
  const Aggregates& aggregates = rules_.aggregates;
  if (at < pane.entered) [[unlikely]]
    add_entered(id, pane, at, arrival);
  else if (std::uint64_t* const part = pane.count_one(at, cell); stride_ != 0)
    aggregates.add(part, arrival.inputs, arrival.time, arrival.number, arrival.counted);
  if (rules_.emit == Emit::threshold) {
    check_now(id, arrival.time);
    if (results_.full()) results_.flush(out);
  }
  return Outcome::taken;
}

void PaneWindows::add_entered(std::uint32_t id, Pane& pane, std::uint32_t at,
                              const Arrival& arrival) {
  Tally& tally = this->tally(id);
  if (pane.count_of(at) == 0) ++tally.cells;
  ++tally.count;
  std::uint64_t* const part = pane.count_one(at, pane.cell(at));
  const Aggregates& aggregates = rules_.aggregates;
  if (is_summed(tally))
    aggregates.add_entered(part, running(id), arrival.inputs, arrival.time, arrival.number,
                           arrival.counted);
  else if (stride_ != 0)
    aggregates.add(part, arrival.inputs, arrival.time, arrival.number, arrival.counted);
  touch(id);
}

std::size_t PaneWindows::accept(std::span<Arrival> block, Emitter& out) {
  if (!keys_.small())
    fetch_ahead(block);
  else if (counts_values_)
    for (auto& arrival : block) arrival.guess = keys_.guess(arrival.hash);
  if (counts_values_) fetch_parts(block);
  std::size_t refused = 0;
  for (auto& arrival : block) {
    const std::int64_t closed = closed_for(key_group(arrival.hash));
    arrival.outcome = arrival.time >= std::max(arrival.floor, closed)
                          ? add(arrival, out)
                          : accept_behind(arrival, closed, out);
    refused += arrival.outcome != Outcome::taken;
  }
  return refused;
}

// For a record before its floor or before a closed boundary.
Outcome PaneWindows::accept_behind(const Arrival& arrival, std::int64_t closed, Emitter& out) {
  const Assigner& a = rules_.assigner;
  if (a.end_until(arrival.time + a.size) <= std::max(arrival.floor, closed)) return Outcome::late;
  if (arrival.floor > closed && a.end_after(std::max(arrival.time, closed)) <= arrival.floor) {
    wait(a.end_until(arrival.floor), arrival);
    return Outcome::taken;
  }
  // `changed` compares with what it emitted last: what is in those windows may not change.
  if (rules_.emit == Emit::changed && a.pane_start(arrival.time) + a.pane <= closed_) {
    wait(closed_, arrival);
    return Outcome::taken;
  }
  return insert(arrival, out);
}

void PaneWindows::wait(std::int64_t after, const Arrival& arrival) {
  Waiting waiting{arrival.time, arrival.number, arrival.hash, arrival.key.encoded(), {}};
  int inputs = 0;
  for (const auto& compute : rules_.aggregates.computes())
    inputs = std::max(inputs, compute.input + 1);
  for (int i = 0; i < inputs; ++i) append_key(arrival.inputs[i], waiting.inputs);
  waiting_[after].push_back(std::move(waiting));
  waiting_changed_ = true;
}

Outcome PaneWindows::insert(const Arrival& arrival, Emitter& out) { return add(arrival, out); }

Pane& PaneWindows::pane_at(std::int64_t time) {
  const std::int64_t width = rules_.assigner.pane;
  const std::int64_t start = rules_.assigner.pane_start(time);
  auto& slot = panes_[start];
  if (!slot) {
    const auto side = static_cast<unsigned>(start / width) & 1u;
    slot = std::make_unique<Pane>(start, side, rules_.aggregates);
    if (start + width <= closed_) slot->entered = Pane::kNone;
  }
  if (latest_ == nullptr || start > latest_->start())
    second_ = std::exchange(latest_, slot.get());
  else
    second_ = slot.get();
  return *slot;
}

// A key's hints are right for its newest pane of each side; what is known of that pane tells
// whether it can have a cell in this one. Only for older panes has the pane's index to be asked.
std::uint32_t PaneWindows::other_cell_of(std::uint32_t id, const Entry& entry, Pane& pane) const {
  const bool other_side = (pane.side() != 0) != ((entry.flags & kNewestOdd) != 0);
  if (other_side && entry.behind != Entry::kFar &&
      (entry.behind == 0 || pane.start() > entry.newest - entry.behind * rules_.assigner.pane))
    return Pane::kNone;
  return pane.find(id);
}

void PaneWindows::note_cell(Entry& entry, const Pane& pane, std::uint32_t at) const {
  const std::int64_t width = rules_.assigner.pane;
  const auto panes = [width](std::int64_t micros) {
    return static_cast<std::uint16_t>(
        micros == width ? 1 : std::min<std::int64_t>(micros / width, Entry::kFar));
  };
  const bool odd = pane.side() != 0;
  const bool other_side = odd != ((entry.flags & kNewestOdd) != 0);
  const bool first = entry.newest == INT64_MIN;
  if (first || pane.start() > entry.newest) {
    const std::uint16_t step = first ? 0 : panes(pane.start() - entry.newest);
    if (first || other_side)
      entry.behind = step;
    else if (entry.behind != 0)
      entry.behind = static_cast<std::uint16_t>(
          std::min<unsigned>(unsigned{entry.behind} + step, Entry::kFar));
    entry.newest = pane.start();
    entry.flags = static_cast<std::uint8_t>((entry.flags & ~kNewestOdd) | (odd ? kNewestOdd : 0));
  } else if (pane.start() < entry.newest) {
    const std::uint16_t distance = panes(entry.newest - pane.start());
    if (!other_side || (entry.behind != 0 && distance > entry.behind)) return;
    entry.behind = distance;
  }
  entry.hint[pane.side()] = at;
}

bool PaneWindows::accept_sum(const Sum& sum, Emitter& out) {
  std::uint32_t id = keys_.find(sum.key, sum.hash);
  if (id == KeyTable::kNone) id = new_key(sum.key, sum.hash, out);
  if (id == KeyTable::kNone) return false;
  Pane* const recent = recent_pane(sum.time);
  Pane& pane = recent != nullptr ? *recent : pane_at(sum.time);
  const auto [at, cell] = place_of(id, pane);
  const bool entered = at < pane.entered;
  Tally& tally = this->tally(id);
  if (entered) {
    if (pane.count_of(at) == 0) ++tally.cells;
    tally.count += sum.records;
  }
  std::uint64_t* const part = pane.count_more(at, cell, sum.records);
  if (stride_ != 0) {
    const bool summed = entered && is_summed(tally);
    if (summed && pane.count_of(at) > sum.records) rules_.aggregates.leave(running(id), part);
    rules_.aggregates.merge(part, sum.part);
    if (summed) rules_.aggregates.enter(running(id), part);
  }
  if (entered) touch(id);
  return true;
}

std::uint32_t PaneWindows::new_key(KeyRef key, std::uint64_t hash, Emitter& out) {
  if (keys_.size() >= rules_.max_keys) settle();
  if (keys_.size() >= rules_.max_keys) {
    if (rules_.on_full == OnFull::refuse) return KeyTable::kNone;
    evict_oldest(out);
  }
  return make_key(key, hash);
}

std::uint32_t PaneWindows::make_key(KeyRef key, std::uint64_t hash) {
  const std::uint32_t id = keys_.insert(key, hash);
  note_key(id, hash);
  return id;
}

void PaneWindows::note_key(std::uint32_t id, std::uint64_t hash) {
  key_rows_.made(id);
  used_groups_[key_group(hash)] = true;
  while ((id >> kBlockBits) >= tallies_.size())
    tallies_.push_back(std::make_unique<Tally[]>(std::size_t{1} << kBlockBits));
  while (stride_ != 0 && (id >> kBlockBits) >= running_.size())
    running_.push_back(std::make_unique<std::uint64_t[]>(stride_ << kBlockBits));
  if (rules_.emit == Emit::threshold) {
    if (id >= far_.size()) far_.resize(std::size_t{id} + 1);
    far_[id] = 0;
    if (grows_ && id >= outlooks_.size()) outlooks_.resize(std::size_t{id} + 1);
    if (grows_) outlooks_[id] = {};
  }
}

void PaneWindows::remove_key(std::uint32_t id) {
  key_rows_.leaves(id, keys_.entry(id));
  if (stride_ != 0) rules_.aggregates.free_running(running(id));
  tally(id) = {};
  keys_.remove(id);
}

void PaneWindows::touch(std::uint32_t id, Tally& tally) {
  if (tally.has(kTouched)) return;
  tally.set(kTouched);
  touched_.push_back(id);
}

// One sweep over all panes makes room for many keys, so a flood of new keys costs each of them
// little.
void PaneWindows::evict_oldest(Emitter& out) {
  const Ids ids = keys_.oldest(1 + keys_.size() / 64);
  std::vector<bool> doomed(keys_.limit());
  std::uint64_t records = 0;
  for (const std::uint32_t id : ids) doomed[id] = true;
  for (auto& [start, pane] : panes_)
    for (std::uint32_t at = 0; at < pane->size(); ++at) {
      const std::uint32_t id = pane->id_of(at);
      if (id == Pane::kDead || !doomed[id]) continue;
      records += pane->count_of(at);
      pane->stored.removed.push_back(id);
      pane->kill(at);
    }
  std::erase_if(passing_, [&](std::uint32_t id) { return doomed[id]; });
  for (const std::uint32_t id : ids) {
    if (tally(id).has(kAlerted)) set_alerts(id, {});
    remove_key(id);
  }
  out.drop(DropReason::shed, records);
}

}  // namespace streamd::window
