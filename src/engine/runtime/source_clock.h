// SPDX-License-Identifier: Apache-2.0
// SourceClock: what each worker says of one source, so that those that have nothing of it now can
// say what the others say, and so that the wall clock can take over when nobody has anything. One
// per source, shared by all workers; each writes its own words and reads everybody's.
#pragma once

#include "engine/runtime/lane.h"

#include <atomic>
#include <cstdint>
#include <vector>

namespace streamd {

class SourceClock {
 public:
  explicit SourceClock(unsigned workers) : words_(workers) {}

  // A partition's watermark has come this far. Any worker, before it says its next mark.
  void reach(EventTime lane_watermark);
  // The largest that any worker has reached; EventTime::min(): no worker has ever had a record.
  EventTime newest() const { return {newest_.load(std::memory_order_relaxed)}; }

  // `worker` says how far event time has come for it (`own`: kIdleMark while all that it reads of
  // the source is idle, EventTime::max() when that has ended) and until when that is known
  // (`confirmed`: monotonic; of no meaning while it is not idle). The answer is the mark that
  // counts for it.
  //
  // A worker that is idle or has ended says what the others say. So a source is silent or has ended
  // on all workers or on none. When it is silent on all, event time goes on from the newest record
  // at the pace of the wall clock, from when the last of them has become idle until when all are
  // known to be: a partition whose broker hangs may hold records. kIdleMark if there is no newest.
  EventTime say(unsigned worker, EventTime own, Duration confirmed);

  // Whether the worker reads the source, as far as it has said.
  bool reads(unsigned worker) const {
    return words_[worker].mark.load(std::memory_order_relaxed) < kIdleMark.micros;
  }

  // Event time of what the worker has read last while more waits (pace.h); EventTime::max() while
  // nothing does.
  void show_front(unsigned worker, EventTime time) {
    words_[worker].front.store(time.micros, std::memory_order_relaxed);
  }
  // The earliest front of all others.
  EventTime front_of_others(unsigned worker) const;

 private:
  // A line of memory each: they are written in every turn.
  struct alignas(64) Words {
    std::atomic<std::int64_t> mark{INT64_MIN};
    std::atomic<std::int64_t> confirmed{INT64_MIN};    // while it has nothing: until when
    std::atomic<std::int64_t> quiet_since{INT64_MIN};  // and what was confirmed when that began
    std::atomic<std::int64_t> newest{INT64_MIN};       // and how far the source had come then
    std::atomic<std::int64_t> front{INT64_MAX};
  };
  std::vector<Words> words_;
  std::atomic<std::int64_t> newest_{INT64_MIN};
};

}  // namespace streamd
