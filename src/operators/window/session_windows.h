// SPDX-License-Identifier: Apache-2.0
// SessionWindows: session windows of one node on one worker. One thread.
//
// A session has a start (its first time), a last time and an end: the earlier of last + gap and
// start + max. A record at t, with m = max(its floor, the watermark):
// 1. joins the session with the largest start <= t, if t < its end and its end > m;
// 2. else, if it starts less than gap before the next session and that session's last time is less
//    than max after t, becomes that session's new start, unless its end would then be <= m;
// 3. else starts a session of its own, unless t + gap <= m: then it is late.
// After 1 and 2 the session takes in the next one, and again, while that one starts before its end
// and its last time is less than max after the start.
// For records in order this is: a gap or reaching max starts a new session. Arrivals out of order
// give the same sessions unless a session reaches max.
#pragma once

#include "engine/api/emitter.h"
#include "engine/api/state.h"
#include "engine/core/hash.h"
#include "operators/window/key_table.h"
#include "operators/window/results.h"
#include "operators/window/rules.h"
#include "operators/window/share.h"
#include "operators/window/watermark_row.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace streamd::window {

class SessionWindows {
 public:
  SessionWindows(const Rules& rules, std::shared_ptr<const Origin> origin, std::uint64_t seed,
                 Share share);
  ~SessionWindows();

  // Takes records in order and sets the outcome of each. How many were not taken.
  std::size_t accept(std::span<Arrival> block, Emitter& out);
  void flush(Emitter& out) { results_.flush(out); }
  void advance(std::int64_t watermark, Emitter& out);
  // As in PaneWindows.
  std::int64_t closed_for(unsigned group) const;

  void checkpoint(StateWriter& state);
  Status restore_row(unsigned group, std::string_view sub_key, std::string_view value);
  Status restore_done();

  std::size_t live_keys() const { return keys_.size(); }
  std::uint64_t arrivals() const { return arrivals_; }

 private:
  struct Session {
    std::int64_t start = 0;
    std::int64_t last = 0;
    std::int64_t timer = 0;  // when advance() will look at it; not after its end
    std::uint64_t count = 0;
    bool fired = false;
    std::vector<std::uint64_t> part;
  };
  using Sessions = std::vector<Session>;  // of one key, by start

  Outcome take(const Arrival& arrival, Emitter& out);
  std::int64_t end_of(const Session& session) const;
  std::size_t place(Sessions& sessions, std::int64_t time, std::int64_t bound);
  void absorb_next(Sessions& sessions, std::size_t at);
  void schedule(std::uint32_t id, Session& session);
  // out: as of PaneWindows::passes.
  bool passes(std::string_view key, const Session& session, Emitter* out) const;
  Results::Row row_of(std::string_view key, const Session& session) const;
  void evict_oldest(Emitter& out);
  void remove_key(std::uint32_t id);
  std::uint32_t make_key(KeyRef key, std::uint64_t hash);

  const Rules& rules_;
  const std::uint64_t seed_;
  const Share share_;
  Results results_;
  KeyTable keys_;
  std::vector<Sessions> sessions_;  // by id
  std::map<std::int64_t, std::vector<std::uint32_t>> timers_;
  std::int64_t watermark_ = kNever;
  std::set<std::string> changed_;  // keys whose row differs from the one on disk
  std::array<bool, kKeyGroups> used_groups_{};
  WatermarkRow watermark_row_;
  GroupTimes group_watermark_;
  std::int64_t furthest_ = kNever;
  std::uint64_t arrivals_ = 0;
};

}  // namespace streamd::window
