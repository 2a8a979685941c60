// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane_windows.h"

#include "engine/core/key.h"

#include <algorithm>

namespace streamd::window {

PaneWindows::PaneWindows(const Rules& rules, std::shared_ptr<const Origin> origin,
                         std::uint64_t seed, Share share)
    : rules_(rules),
      seed_(seed),
      share_(share),
      stride_(1 + rules.aggregates.words()),
      results_(rules, std::move(origin)),
      watermark_row_(share) {
  group_watermark_.fill(kNever);
}

PaneWindows::~PaneWindows() {
  for (std::uint32_t id = 0; id < keys_.limit(); ++id)
    if (keys_.entry(id).key != nullptr) rules_.aggregates.free_running(running(id) + 1);
}

void PaneWindows::prefetch_cell(std::uint32_t id, std::int64_t time) const {
  const Entry& entry = keys_.entry(id);
  if (entry.key_size > Entry::kShort) __builtin_prefetch(entry.key);
  if (latest_ != nullptr && time >= latest_->start() &&
      time - latest_->start() < rules_.assigner.pane)
    latest_->prefetch(entry.hint[latest_->side()]);
}

std::int64_t PaneWindows::closed_for(unsigned group) const {
  return furthest_ > watermark_ ? std::max(watermark_, group_watermark_[group]) : watermark_;
}

Outcome PaneWindows::accept(const Arrival& arrival, Emitter& out) {
  const std::int64_t closed = closed_for(key_group(arrival.hash));
  const std::int64_t bound = std::max(arrival.floor, closed);
  if (arrival.time < bound) {
    const Assigner& a = rules_.assigner;
    if (a.end_until(arrival.time + a.size) <= bound) return Outcome::late;
    if (arrival.floor > closed && a.end_after(std::max(arrival.time, closed)) <= arrival.floor) {
      wait(a.end_until(arrival.floor), arrival);
      return Outcome::taken;
    }
    // `changed` compares with what it emitted last: what is in those windows may not change.
    if (rules_.emit == Emit::changed && a.pane_start(arrival.time) + a.pane <= closed_) {
      wait(closed_, arrival);
      return Outcome::taken;
    }
  }
  return insert(arrival, out);
}

void PaneWindows::wait(std::int64_t after, const Arrival& arrival) {
  Waiting waiting{arrival.time, arrival.number, arrival.hash, std::string(arrival.key), {}};
  int inputs = 0;
  for (const auto& compute : rules_.aggregates.computes())
    inputs = std::max(inputs, compute.input + 1);
  for (int i = 0; i < inputs; ++i) append_key(arrival.inputs[i], waiting.inputs);
  waiting_[after].push_back(std::move(waiting));
  waiting_changed_ = true;
}

Outcome PaneWindows::insert(const Arrival& arrival, Emitter& out) {
  const std::uint32_t id = need_key(arrival, out);
  if (id == KeyTable::kNone) return Outcome::shed;
  Pane& pane = pane_at(arrival.time);
  const std::uint32_t at = need_cell(id, pane);
  Entry& entry = keys_.entry(id);
  ++entry.held;
  if (!pane.closed) {
    pane.count_one(at);
    if (arrival.inputs != nullptr)
      rules_.aggregates.add(pane.part(at), arrival.inputs, arrival.time, arrival.number);
  } else {
    std::uint64_t* words = running(id);
    if (pane.count_of(at) > 0) rules_.aggregates.leave(words + 1, pane.part(at));
    pane.count_one(at);
    ++words[0];
    if (arrival.inputs != nullptr)
      rules_.aggregates.add(pane.part(at), arrival.inputs, arrival.time, arrival.number);
    rules_.aggregates.enter(words + 1, pane.part(at));
    touch(id);
  }
  if (rules_.emit == Emit::threshold) check_now(id, arrival.time);
  if (results_.full()) results_.flush(out);
  return Outcome::taken;
}

Pane& PaneWindows::pane_at(std::int64_t time) {
  const std::int64_t width = rules_.assigner.pane;
  if (latest_ != nullptr && time >= latest_->start() && time - latest_->start() < width)
    return *latest_;
  const std::int64_t start = rules_.assigner.pane_start(time);
  auto& slot = panes_[start];
  if (!slot) {
    const auto side = static_cast<unsigned>(start / width) & 1u;
    slot = std::make_unique<Pane>(start, side, rules_.aggregates);
    slot->closed = start + width <= closed_;
  }
  latest_ = slot.get();
  return *slot;
}

std::uint32_t PaneWindows::cell_of(std::uint32_t id, Pane& pane) {
  const Entry& entry = keys_.entry(id);
  const std::uint32_t hint = entry.hint[pane.side()];
  if (pane.holds(hint, id)) return hint;
  if (entry.held == 0 || pane.start() > entry.newest) return Pane::kNone;
  return pane.find(id);
}

std::uint32_t PaneWindows::need_cell(std::uint32_t id, Pane& pane) {
  std::uint32_t at = cell_of(id, pane);
  Entry& entry = keys_.entry(id);
  if (at == Pane::kNone) at = pane.append(id);
  if (entry.held == 0 || pane.start() > entry.newest) entry.newest = pane.start();
  entry.hint[pane.side()] = at;
  return at;
}

std::uint32_t PaneWindows::need_key(const Arrival& arrival, Emitter& out) {
  if (keys_.is(arrival.guess, arrival.key)) return arrival.guess;
  const std::uint32_t id = keys_.find(arrival.key, arrival.hash);
  if (id != KeyTable::kNone) return id;
  if (keys_.size() >= rules_.max_keys) {
    if (rules_.on_full == OnFull::refuse) return KeyTable::kNone;
    evict_oldest(out);
  }
  return make_key(arrival.key, arrival.hash);
}

std::uint32_t PaneWindows::make_key(std::string_view key, std::uint64_t hash) {
  const std::uint32_t id = keys_.insert(key, hash);
  used_groups_[key_group(hash)] = true;
  if ((id >> kBlockBits) == running_.size())
    running_.push_back(std::make_unique<std::uint64_t[]>(stride_ << kBlockBits));
  running(id)[0] = 0;
  return id;
}

void PaneWindows::remove_key(std::uint32_t id) {
  running(id)[0] = 0;
  rules_.aggregates.free_running(running(id) + 1);
  keys_.remove(id, hash_bytes(keys_.entry(id).bytes(), seed_));
}

void PaneWindows::touch(std::uint32_t id) {
  Entry& entry = keys_.entry(id);
  if ((entry.flags & kTouched) != 0) return;
  entry.flags |= kTouched;
  touched_.push_back(id);
}

// One sweep over all panes makes room for many keys, so a flood of new keys costs each of them
// little.
void PaneWindows::evict_oldest(Emitter& out) {
  Ids ids;
  for (std::uint32_t id = 0; id < keys_.limit(); ++id)
    if (keys_.entry(id).key != nullptr) ids.push_back(id);
  const std::size_t n = std::min(ids.size(), 1 + ids.size() / 64);
  const auto older = [this](std::uint32_t a, std::uint32_t b) {
    const Entry& x = keys_.entry(a);
    const Entry& y = keys_.entry(b);
    if (x.newest != y.newest) return x.newest < y.newest;
    return x.bytes() < y.bytes();
  };
  std::nth_element(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(n) - 1, ids.end(), older);
  ids.resize(n);
  std::vector<bool> doomed(keys_.limit());
  std::uint64_t records = 0;
  for (const std::uint32_t id : ids) {
    doomed[id] = true;
    records += keys_.entry(id).held;
  }
  for (auto& [start, pane] : panes_)
    for (std::uint32_t at = 0; at < pane->size(); ++at) {
      const std::uint32_t id = pane->id_of(at);
      if (id == Pane::kDead || !doomed[id]) continue;
      const Entry& entry = keys_.entry(id);
      pane->stored.removed_keys.emplace_back(entry.bytes());
      pane->kill(at);
    }
  for (const std::uint32_t id : ids) {
    if ((keys_.entry(id).flags & kFired) != 0) arm(id);
    remove_key(id);
  }
  out.drop(DropReason::shed, records);
}

}  // namespace streamd::window
