// SPDX-License-Identifier: Apache-2.0
// run_pipeline: runs one plan from start to end: state folder, restore, workers, epochs, stop.
#pragma once

#include "engine/plan/plan.h"
#include "engine/runtime/accounting.h"
#include "engine/runtime/health.h"
#include "engine/runtime/log.h"
#include "engine/runtime/taps.h"
#include "engine/state/backend.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace streamd {

// Figures of one moment, for the progress line and the table at the end.
struct Progress {
  std::string pipeline;
  std::vector<NodeTotals> nodes;  // in the order of the plan
  Epoch epoch = 0;
  Duration running{};  // monotonic time since the workers started
  // The run was given up, not finished: records were between nodes, and the state is as of the last
  // checkpoint.
  bool cut_short = false;
};

// What others may look at while a pipeline runs, from any thread.
struct Observed {
  const Plan& plan;
  std::string folder;  // the pipeline's own, which this process holds
  Taps& taps;
  const Health& health;
};

struct RunOptions {
  unsigned workers = 1;
  std::string state_root = "state";  // holds one folder per pipeline
  bool fresh = false;
  std::vector<std::string> reset_state;
  Duration checkpoint_every = Duration::from_seconds(1);
  Duration stop_limit = Duration::from_seconds(8);  // how long a stop may wait for sinks
  const Clock* clock = nullptr;
  LogFn log;
  // First stop: finish what was read, last checkpoint. `abandon`: end now, as after kill -9.
  std::stop_token stop, abandon;
  // Called on the control thread about every `progress_every`.
  std::function<void(const Progress&)> on_progress;
  Duration progress_every = Duration::from_millis(500);
  // Called on the control thread once the state folder is held. What it gives is destroyed when no
  // record moves any more, before the folder is let go; it must not look at anything afterwards.
  std::function<std::shared_ptr<void>(const Observed&)> observe;
  // Instead of RocksDB under state_root (tests, --no-state).
  std::function<Result<std::unique_ptr<StateBackend>>()> backend;
  // Of a new state; none: it is drawn. Tests, which have to go the same way each time.
  std::optional<std::uint64_t> hash_seed;
  // Called before any component is opened, with what all of them share.
  std::function<void(Shared&)> on_open;
  bool stepped = false;  // set by SteppedRun: pauses have no length
};

// Blocks the calling thread, which becomes the control thread. The plan's dead_letters must be set.
// Returns the final figures, or the error that ended the run (an Error of kind config when the
// stored state does not fit the pipeline).
Result<Progress> run_pipeline(const Plan& plan, const RunOptions& options);

// The folder of the pipeline's default dead letters.
std::string dead_letter_dir(const std::string& state_root, const std::string& pipeline);

}  // namespace streamd
