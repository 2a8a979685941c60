// SPDX-License-Identifier: Apache-2.0
#include "operators/window/session_windows.h"

#include "engine/core/key.h"
#include "operators/window/pane_rows.h"

#include <algorithm>

namespace streamd::window {

SessionWindows::SessionWindows(const Rules& rules, std::shared_ptr<const Origin> origin,
                               std::uint64_t seed, Share share)
    : rules_(rules),
      seed_(seed),
      share_(share),
      results_(rules, std::move(origin)),
      watermark_row_(share) {
  group_watermark_.fill(kNever);
}

SessionWindows::~SessionWindows() {
  for (auto& sessions : sessions_)
    for (auto& session : sessions) rules_.aggregates.free_part(session.part.data());
}

std::int64_t SessionWindows::end_of(const Session& session) const {
  return std::min(session.last + rules_.assigner.gap, session.start + rules_.assigner.max);
}

std::int64_t SessionWindows::closed_for(unsigned group) const {
  return std::max(watermark_, group_watermark_[group]);
}

// The index of the session that takes the record, made if need be; sessions.size() when it is late.
std::size_t SessionWindows::place(Sessions& sessions, std::int64_t time, std::int64_t bound) {
  const auto& a = rules_.assigner;
  const auto after = std::upper_bound(sessions.begin(), sessions.end(), time,
                                      [](std::int64_t t, const Session& s) { return t < s.start; });
  const auto next = static_cast<std::size_t>(after - sessions.begin());
  if (next > 0) {
    Session& session = sessions[next - 1];
    if (time < end_of(session) && end_of(session) > bound) {
      session.last = std::max(session.last, time);
      return next - 1;
    }
  }
  if (next < sessions.size()) {
    Session& session = sessions[next];
    if (session.start - time < a.gap && session.last - time < a.max &&
        std::min(session.last + a.gap, time + a.max) > bound) {
      session.start = time;
      return next;
    }
  }
  if (time + a.gap <= bound) return sessions.size();
  Session fresh;
  fresh.start = fresh.last = time;
  fresh.timer = kEverything;
  fresh.part.resize(rules_.aggregates.words());
  sessions.insert(sessions.begin() + static_cast<std::ptrdiff_t>(next), std::move(fresh));
  return next;
}

void SessionWindows::absorb_next(Sessions& sessions, std::size_t at) {
  while (at + 1 < sessions.size()) {
    Session& session = sessions[at];
    Session& next = sessions[at + 1];
    if (next.start >= end_of(session) || next.last - session.start >= rules_.assigner.max) return;
    session.last = std::max(session.last, next.last);
    session.count += next.count;
    session.fired = session.fired || next.fired;
    session.timer = std::min(session.timer, next.timer);
    rules_.aggregates.merge(session.part.data(), next.part.data());
    rules_.aggregates.free_part(next.part.data());
    sessions.erase(sessions.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

void SessionWindows::schedule(std::uint32_t id, Session& session) {
  const std::int64_t end = end_of(session);
  if (session.timer <= end) return;
  session.timer = end;
  timers_[end].push_back(id);
}

std::size_t SessionWindows::accept(std::span<Arrival> block, Emitter& out) {
  std::size_t refused = 0;
  for (auto& arrival : block) {
    arrival.outcome = take(arrival, out);
    refused += arrival.outcome != Outcome::taken;
  }
  return refused;
}

Outcome SessionWindows::take(const Arrival& arrival, Emitter& out) {
  const std::int64_t bound = std::max(arrival.floor, closed_for(key_group(arrival.hash)));
  std::uint32_t id = keys_.find(arrival.key, arrival.hash);
  if (id == KeyTable::kNone) {
    if (arrival.time + rules_.assigner.gap <= bound) return Outcome::late;
    if (keys_.size() >= rules_.max_keys) {
      if (rules_.on_full == OnFull::refuse) return Outcome::shed;
      evict_oldest(out);
    }
    id = make_key(arrival.key, arrival.hash);
  }
  Sessions& sessions = sessions_[id];
  const std::size_t at = place(sessions, arrival.time, bound);
  if (at == sessions.size()) return Outcome::late;
  ++sessions[at].count;
  if (arrival.inputs != nullptr)
    rules_.aggregates.add(sessions[at].part.data(), arrival.inputs, arrival.time, arrival.number,
                          arrival.counted);
  absorb_next(sessions, at);
  Session& session = sessions[at];
  schedule(id, session);
  Entry& entry = keys_.entry(id);
  entry.newest = std::max(entry.newest, arrival.time);
  changed_.emplace(entry.bytes());
  if (rules_.emit == Emit::threshold && !session.fired && passes(entry.bytes(), session, nullptr)) {
    session.fired = true;
    Results::Row row = row_of(entry.bytes(), session);
    row.time = arrival.time;
    row.edge = 1;
    results_.add(row);
    if (results_.full()) results_.flush(out);
  }
  return Outcome::taken;
}

std::uint32_t SessionWindows::make_key(KeyRef key, std::uint64_t hash) {
  const std::uint32_t id = keys_.insert(key, hash);
  if (id >= sessions_.size()) sessions_.resize(id + 1);
  used_groups_[key_group(hash)] = true;
  return id;
}

void SessionWindows::remove_key(std::uint32_t id) {
  for (auto& session : sessions_[id]) rules_.aggregates.free_part(session.part.data());
  sessions_[id] = {};
  const std::string_view key = keys_.entry(id).bytes();
  changed_.emplace(key);
  keys_.remove(id);
}

void SessionWindows::evict_oldest(Emitter& out) {
  const auto ids = keys_.oldest(1 + keys_.size() / 64);
  std::uint64_t records = 0;
  for (const std::uint32_t id : ids) {
    for (const auto& session : sessions_[id]) records += session.count;
    remove_key(id);
  }
  out.drop(DropReason::shed, records);
}

Results::Row SessionWindows::row_of(std::string_view key, const Session& session) const {
  const std::int64_t end = end_of(session);
  return {key, session.start, end, end - 1, 0, session.part.data(), false, session.count};
}

bool SessionWindows::passes(std::string_view key, const Session& session, Emitter* out) const {
  if (rules_.least_count) return session.count >= *rules_.least_count;
  if (!rules_.having) return true;
  Results row(rules_, results_.origin());
  row.add(row_of(key, session));
  Arena arena;
  std::vector<std::uint32_t> kept;
  std::vector<expr::Program::Failure> failed;
  const Batch batch = row.take();
  rules_.having->select(batch, arena, kept, failed);
  if (out != nullptr) fail_undecided(batch, failed, *out);
  return !kept.empty();
}

void SessionWindows::advance(std::int64_t watermark, Emitter& out) {
  if (watermark <= watermark_) return;
  const std::int64_t before = watermark_;
  watermark_ = watermark;
  struct Closed {
    std::int64_t end;
    std::string key;
    Session session;
  };
  std::vector<Closed> closed;
  std::vector<std::uint32_t> touched;
  while (!timers_.empty() && timers_.begin()->first <= watermark) {
    const auto ids = std::move(timers_.extract(timers_.begin()).mapped());
    touched.insert(touched.end(), ids.begin(), ids.end());
  }
  // A key has a timer for each of its sessions; they are looked at once.
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (const std::uint32_t id : touched) {
    if (id >= sessions_.size() || sessions_[id].empty()) continue;
    Sessions& sessions = sessions_[id];
    for (auto& session : sessions) {
      if (end_of(session) <= watermark) {
        closed.push_back(
            {end_of(session), std::string(keys_.entry(id).bytes()), std::move(session)});
        session.part.clear();
        session.count = 0;
      } else if (session.timer <= watermark) {
        session.timer = kEverything;
        schedule(id, session);
      }
    }
    std::erase_if(sessions, [](const Session& s) { return s.count == 0; });
    changed_.emplace(keys_.entry(id).bytes());
    if (sessions.empty()) remove_key(id);
  }
  std::sort(closed.begin(), closed.end(), [](const Closed& x, const Closed& y) {
    if (x.end != y.end) return x.end < y.end;
    if (x.key != y.key) return x.key < y.key;
    return x.session.start < y.session.start;
  });
  // The end of the input closes what there is, not what may come when a grown input is read on.
  if (watermark == kEverything)
    watermark_ = closed.empty() ? before : std::max(before, closed.back().end);
  for (auto& [end, key, session] : closed) {
    // A session that fired has had its row.
    const bool due = rules_.emit != Emit::threshold || !session.fired;
    if (due && passes(key, session, &out)) {
      results_.add(row_of(key, session));
      if (results_.full()) results_.flush(out);
    }
    rules_.aggregates.free_part(session.part.data());
  }
  results_.flush(out);
}

void SessionWindows::checkpoint(StateWriter& state) {
  for (const auto& key : changed_) {
    const std::uint64_t hash = hash_key(key, seed_);
    const std::uint32_t id = keys_.find(key, hash);
    if (id == KeyTable::kNone) {
      state.erase(key_group(hash), "s" + key);
      continue;
    }
    std::string value(1, kRowVersion);
    put_varint(value, sessions_[id].size());
    for (const auto& session : sessions_[id]) {
      put_signed(value, session.start);
      put_signed(value, session.last);
      put_varint(value, session.count);
      value.push_back(session.fired ? 1 : 0);
      rules_.aggregates.encode(session.part.data(), value);
    }
    state.put(key_group(hash), "s" + key, value);
  }
  changed_.clear();
  GroupTimes times;
  for (unsigned group = 0; group < kKeyGroups; ++group) times[group] = closed_for(group);
  watermark_row_.checkpoint(times, state);
}

Status SessionWindows::restore_row(unsigned group, std::string_view sub_key,
                                   std::string_view value) {
  const auto damaged = [] {
    return fail(ErrorKind::state, "the stored session of a window is damaged");
  };
  if (group >= kKeyGroups || sub_key.empty() || value.empty()) return damaged();
  STREAMD_TRY(check_row_version(value));
  if (sub_key == "w")
    return watermark_row_.restore(group, value, group_watermark_) ? Status{} : damaged();
  if (!share_.owns(group)) return {};
  value.remove_prefix(1);
  const std::string_view key = sub_key.substr(1);
  const auto values = count_key(key);
  const std::uint64_t hash = hash_key(key, seed_);
  std::uint64_t n = 0;
  if (sub_key.front() != 's' || values != rules_.by || key_group(hash) != group ||
      keys_.find(key, hash) != KeyTable::kNone || !take_varint(value, n) || n == 0 ||
      n > value.size())
    return damaged();
  const std::uint32_t id = make_key({key, false}, hash);
  for (; n > 0; --n) {
    Session session;
    session.part.resize(rules_.aggregates.words());
    session.timer = kEverything;
    if (!take_signed(value, session.start) || !take_signed(value, session.last) ||
        !take_varint(value, session.count) || session.count == 0 || session.count >> 48 != 0 ||
        session.start < -kTimeLimit || session.last > kTimeLimit || session.start > session.last ||
        value.empty())
      return damaged();
    session.fired = value.front() != 0;
    value.remove_prefix(1);
    if (!rules_.aggregates.decode(value, session.part.data(), arrivals_)) return damaged();
    keys_.entry(id).newest = std::max(keys_.entry(id).newest, session.last);
    schedule(id, session);
    sessions_[id].push_back(std::move(session));
  }
  return value.empty() ? Status{} : damaged();
}

Status SessionWindows::restore_done() {
  std::int64_t least = kEverything;
  for (unsigned group = share_.home(); group < share_.end(); ++group)
    if (used_groups_[group] || group_watermark_[group] != kNever)
      least = std::min(least, group_watermark_[group]);
  for (const std::int64_t w : group_watermark_) furthest_ = std::max(furthest_, w);
  watermark_ = furthest_ == kNever ? kNever : least;
  return {};
}

}  // namespace streamd::window
