// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/source_clock.h"

#include <algorithm>

namespace streamd {

void SourceClock::reach(EventTime lane_watermark) {
  auto largest = newest_.load(std::memory_order_relaxed);
  while (lane_watermark.micros > largest &&
         !newest_.compare_exchange_weak(largest, lane_watermark.micros)) {
  }
}

EventTime SourceClock::say(unsigned worker, EventTime own, Duration confirmed) {
  Words& mine = words_[worker];
  // Whoever sees a word sees those that were written before it. So a mark comes with what it rests
  // on, and time that is confirmed never with the beginning of an earlier silence.
  if (own >= kIdleMark) {
    if (mine.mark.load(std::memory_order_relaxed) < kIdleMark.micros) {
      mine.newest.store(newest_.load(std::memory_order_relaxed), std::memory_order_relaxed);
      mine.quiet_since.store(confirmed.micros, std::memory_order_relaxed);
    }
    const bool ended = own > kIdleMark;
    mine.confirmed.store(ended ? INT64_MAX : confirmed.micros, std::memory_order_release);
  }
  mine.mark.store(own.micros, std::memory_order_release);

  std::int64_t mark = INT64_MAX, until = INT64_MAX, since = INT64_MIN, newest = INT64_MIN;
  for (const Words& words : words_) {
    mark = std::min(mark, words.mark.load(std::memory_order_acquire));
    until = std::min(until, words.confirmed.load(std::memory_order_acquire));
    since = std::max(since, words.quiet_since.load(std::memory_order_relaxed));
    newest = std::max(newest, words.newest.load(std::memory_order_relaxed));
  }
  if (mark != kIdleMark.micros) return own < kIdleMark ? own : EventTime{mark};
  if (until == INT64_MAX) return EventTime::max();  // the last one has ended meanwhile
  if (newest == INT64_MIN) return kIdleMark;
  return EventTime{newest} + Duration{std::max<std::int64_t>(until - since, 0)};
}

EventTime SourceClock::front_of_others(unsigned worker) const {
  std::int64_t earliest = INT64_MAX;
  for (std::size_t w = 0; w < words_.size(); ++w)
    if (w != worker) earliest = std::min(earliest, words_[w].front.load(std::memory_order_relaxed));
  return {earliest};
}

}  // namespace streamd
