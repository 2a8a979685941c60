// SPDX-License-Identifier: Apache-2.0
// Run: one running pipeline as the control thread sees it. Private to runtime/: run_pipeline drives
// it with threads, SteppedRun without.
#pragma once

#include "engine/runtime/lists.h"
#include "engine/runtime/run.h"
#include "engine/runtime/run_context.h"
#include "engine/runtime/worker.h"
#include "engine/state/state_dir.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace streamd {

class Run {
 public:
  // Both must outlive it.
  Run(const Plan& plan, const RunOptions& options);
  // As after kill -9: what was not committed is gone.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // State, lists, sources, sinks, workers: everything but the threads.
  Status prepare();
  // The control thread's life, from the start of the workers to their end.
  Status loop();
  Progress progress() const;

  // Instead of loop() (stepped_run.h).
  bool step(unsigned worker);
  Status step_until_quiet();
  Status step_epoch();
  // Whether a source has asked for an epoch since the last one began.
  bool wants_epoch() const { return wants_epoch_; }

 private:
  Status cut_short();
  Status open_state();
  Status open_lists();
  Status open_sources();
  Status open_transaction();
  Status declare_state();
  Status commit(EpochParts parts);
  void acknowledge(const std::map<std::string, Positions>& current);
  void report_restored();
  // What a stop means for an attempt: none is made after it, or as many as its limit allows.
  enum class AtStop { give_up, go_on };
  // What was not committed then stays undecided until the next start.
  Status insist(const std::string& what, const std::function<Status()>& attempt,
                AtStop at_stop = AtStop::give_up);
  // By when a stop that is wanted has to be over.
  std::optional<Duration> stop_by();
  bool all_ended() const;
  bool all_finished() const;
  bool stop_wanted() const { return options_.stop.stop_requested(); }

  const Plan& plan_;
  const RunOptions& options_;
  Health health_;
  const LogFn log_;  // options_.log, which health_ hears too
  RunContext context_;
  Checkpoint checkpoint_;
  std::string pipeline_dir_;
  std::unique_ptr<StateDir> dir_;
  std::shared_ptr<void> observer_;
  std::unique_ptr<EpochStore> store_;
  Shared shared_;
  std::unique_ptr<Lists> lists_;
  std::vector<std::unique_ptr<Source>> sources_;  // by node index; null unless a source
  std::vector<std::unique_ptr<Sink>>
      opened_sinks_;  // transactional ones, until a worker takes them
  std::vector<std::unique_ptr<Worker>> workers_;
  Transaction* transaction_ = nullptr;
  std::map<std::string, Positions> known_positions_;  // by source; of all partitions in the state
  std::vector<std::jthread> threads_;
  Epoch next_epoch_ = 1;
  Duration started_{};
  std::optional<Duration> stop_by_;
  bool cut_short_ = false;
  bool wants_epoch_ = false;  // stepped
};

}  // namespace streamd
