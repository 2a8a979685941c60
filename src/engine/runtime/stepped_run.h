// SPDX-License-Identifier: Apache-2.0
// SteppedRun: a plan that runs on the calling thread, without threads of its own and without
// waiting: the workers, barriers and epochs of run_pipeline, one turn after the other. For who
// moves the clock himself (`streamd test`). Not thread-safe.
#pragma once

#include "engine/runtime/run.h"

#include <memory>

namespace streamd {

class Run;

class SteppedRun {
 public:
  // Restores what options.backend holds. `stop`, `abandon`, checkpoint_every and on_progress do not
  // count. Nobody reads what one worker sends another before that one's turn, so several are for a
  // handful of batches. `plan` must outlive it.
  static Result<std::unique_ptr<SteppedRun>> open(const Plan& plan, RunOptions options);
  // As after kill -9: what was not committed is gone.
  ~SteppedRun();
  SteppedRun(const SteppedRun&) = delete;
  SteppedRun& operator=(const SteppedRun&) = delete;

  // Everything that the readers give is processed, and event time is where the clock lets it be: a
  // turn that found nothing to read has moved it. Sinks that fail for now are tried again at once,
  // and a source that waits for a commit gets its epoch. The error that would have ended the run.
  Status settle();
  // One round of one worker alone; the others hear of it when it is their turn. True when there was
  // something to do.
  bool turn(unsigned worker);
  // settle(), then one epoch from its barrier to its commit.
  Status checkpoint();
  Progress progress() const;

 private:
  SteppedRun(const Plan& plan, RunOptions options);

  const RunOptions options_;
  std::unique_ptr<Run> run_;
};

}  // namespace streamd
