// SPDX-License-Identifier: Apache-2.0
// The books: what went into each node on each worker and how it left. Written by the worker that
// owns the row, read by anybody at any time (relaxed: figures of one moment may be a batch apart).
#pragma once

#include "engine/api/drop.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace streamd {

// One node on one worker. On its own cache lines, so that workers do not slow each other down.
struct alignas(128) NodeCounters {
  std::atomic<std::uint64_t> in{0};
  std::atomic<std::uint64_t> out{0};
  std::array<std::atomic<std::uint64_t>, kDropReasons> dropped{};
  std::atomic<std::uint64_t> dead_letters{0};
  std::atomic<std::uint64_t> failed{0};            // results that became dead letters
  std::atomic<std::uint64_t> bytes{0};             // sources: raw bytes read
  std::atomic<std::uint64_t> clamped{0};           // sources: times beyond now + max_future
  std::atomic<std::uint64_t> keys{0};              // gauge: live keys
  std::atomic<std::int64_t> newest{INT64_MIN};     // gauge, sources: largest Lane::max_time, micros
  std::atomic<std::int64_t> watermark{INT64_MIN};  // gauge, micros

  // Only the owning worker writes, so a plain load and store is enough and costs no lock prefix.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

// A node's books summed over the workers.
struct NodeTotals {
  std::string name, type;
  enum class Kind { source, op, sink } kind = Kind::source;
  bool makes_results = false;  // what leaves is not the records that came
  std::uint64_t in = 0, out = 0, dead_letters = 0, failed = 0, bytes = 0, clamped = 0, keys = 0;
  std::array<std::uint64_t, kDropReasons> dropped{};
  std::int64_t newest = INT64_MIN, watermark = INT64_MAX;

  // What a worker has counted (NodeCounters), or another run.
  template <class Counts>
  void add(const Counts& more) {
    in += more.in;
    out += more.out;
    dead_letters += more.dead_letters;
    failed += more.failed;
    bytes += more.bytes;
    clamped += more.clamped;
    keys += more.keys;
    for (std::size_t r = 0; r < kDropReasons; ++r) dropped[r] += more.dropped[r];
    newest = std::max(newest, std::int64_t{more.newest});
    watermark = std::min(watermark, std::int64_t{more.watermark});
  }
  std::uint64_t dropped_total() const {
    std::uint64_t sum = 0;
    for (const auto n : dropped) sum += n;
    return sum;
  }
  // Sources, sinks and operators that pass records on must balance; a window takes records in, so
  // it may only account for too little, never for more than it got.
  bool balanced() const {
    const std::uint64_t gone = dropped_total() + dead_letters;
    return makes_results ? gone <= in : in == out + gone;
  }
};

}  // namespace streamd
