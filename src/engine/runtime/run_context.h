// SPDX-License-Identifier: Apache-2.0
// RunContext: what all workers of one running pipeline share. Built before the first thread starts;
// afterwards const but for the atomics and the thread-safe members.
#pragma once

#include "engine/plan/plan.h"
#include "engine/runtime/accounting.h"
#include "engine/runtime/checkpoint.h"
#include "engine/runtime/health.h"
#include "engine/runtime/log.h"
#include "engine/runtime/refused_letters.h"
#include "engine/runtime/ring.h"
#include "engine/runtime/source_clock.h"
#include "engine/runtime/taps.h"

#include <atomic>
#include <memory>
#include <stop_token>
#include <vector>

namespace streamd {

struct RunContext {
  const Plan* plan = nullptr;
  unsigned workers = 1;
  std::uint64_t hash_seed = 0;
  const Clock* clock = nullptr;
  LogFn log;
  std::size_t dead_letters = 0;             // index of the dead-letter sink in the plan
  std::unique_ptr<RefusedLetters> refused;  // null: a run without a folder
  Checkpoint* checkpoint = nullptr;
  Health* health = nullptr;
  EpochStore* store = nullptr;       // control thread, and workers before they start
  std::atomic<bool> abandon{false};  // stop at once, without a last checkpoint
  std::stop_source given_up;         // requested behind `abandon`: wakes operators that wait
  Taps taps;                         // who looks at the records that pass
  bool stepped = false;              // nobody else moves the clock: pauses have no length

  std::vector<std::unique_ptr<NodeCounters>> counters;      // [worker * nodes + node]
  std::vector<std::unique_ptr<Ring>> rings;                 // [from * workers + to]; null for self
  std::vector<std::unique_ptr<SourceClock>> source_clocks;  // [node]; null unless a source

  // Nothing that is done now counts any more.
  bool is_over() const { return checkpoint->failed() || abandon.load(std::memory_order_acquire); }
  NodeCounters& counter(unsigned worker, std::size_t node) {
    return *counters[worker * plan->nodes.size() + node];
  }
  Ring& ring(unsigned from, unsigned to) { return *rings[from * workers + to]; }
};

// The worker that owns the single instance of the sink `node`.
unsigned sink_owner(std::size_t node, unsigned workers);
// What a sink gets to know when it is opened.
SinkContext sink_context(const PlanNode& node, const Plan& plan, const std::string& pipeline_dir,
                         unsigned worker, const RunContext& run, Shared& shared,
                         std::string restored);

}  // namespace streamd
