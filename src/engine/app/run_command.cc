// SPDX-License-Identifier: Apache-2.0
#include "engine/api/diagnostics.h"
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/load.h"
#include "engine/app/logging.h"
#include "engine/app/signals.h"
#include "engine/core/backoff.h"
#include "engine/core/descriptors.h"
#include "engine/runtime/report.h"
#include "engine/runtime/run.h"
#include "engine/watch/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <unistd.h>

namespace streamd {
namespace {

constexpr Duration kHealthyRun = Duration::from_seconds(60);

// Waits, or until a stop is wanted; false then.
bool pause(Duration time, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any stopped;
  stopped.wait_for(lock, stop, std::chrono::microseconds(time.micros), [] { return false; });
  return !stop.stop_requested();
}

// Runs the plan to its end, and again from its last committed epoch where a run that is over says
// that another can go on (a Kafka transaction that an outage has cost its group). Who stops it
// then loses nothing: what was not committed will be read again.
Result<Progress> run_to_the_end(const Plan& plan, RunOptions options) {
  Backoff backoff({.first = Duration::from_seconds(1)}, random_dice(std::random_device{}()));
  for (;;) {
    const Duration began = options.clock->monotonic();
    auto result = run_pipeline(plan, options);
    if (result || !result.error().goes_on) return result;
    const Duration now = options.clock->monotonic();
    if (now - began > kHealthyRun) backoff.succeeded();
    const bool stopping = options.stop.stop_requested();
    options.log(LogLevel::warning,
                fmt::format("pipeline {}: {}; {}", plan.pipeline, result.error().message,
                            stopping ? "everything since the last checkpoint will be read again"
                                     : "going on from the last committed epoch"));
    if (stopping || !pause(backoff.failed(now), options.stop)) return Progress{};
    options.fresh = false;
    options.reset_state.clear();
  }
}

// Runs one job on the calling thread; several call it at once for several jobs.
int run_one(const Plan& plan, RunOptions options, std::stop_source& stop, bool show_progress,
            bool show_table) {
  static std::mutex printing;
  ProgressLine line;
  Progress before;
  if (show_progress)
    options.on_progress = [&](const Progress& now) {
      const std::lock_guard lock(printing);
      line.draw(progress_line(before, now));
      before = now;
    };
  const auto result = run_to_the_end(plan, std::move(options));
  const std::lock_guard lock(printing);
  line.clear();
  if (!result) {
    print_error(result.error());
    stop.request_stop();
    return result.error().kind == ErrorKind::config ? kExitUsage : kExitFailed;
  }
  // Not by fmt::print, which throws when nobody takes it: the records are where they belong.
  if (show_table)
    std::fputs(fmt::format("\npipeline {}\n{}", plan.pipeline, final_table(*result)).c_str(),
               stderr);
  return kExitDone;
}

// Several plans get the same names: each has to be known to one of them.
Status check_reset(const std::vector<std::string>& names, const std::vector<Plan>& plans) {
  std::vector<std::string> known;
  for (const auto& plan : plans)
    for (const auto& node : plan.nodes) {
      if (node.sink) known.push_back(node.name);
      if (node.op && node.op->stateful())
        known.insert(known.end(), node.state_of.begin(), node.state_of.end());
    }
  for (const auto& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = closest(name, known);
    return fail(ErrorKind::config,
                fmt::format("--reset-state: no operator or sink \"{}\" keeps state", name),
                near.empty() ? fmt::format("these do: {}; what left the pipeline needs no reset",
                                           fmt::join(known, ", "))
                             : fmt::format("did you mean \"{}\"?", near));
  }
  return {};
}

}  // namespace

std::string state_root(const std::string& option) {
  if (!option.empty()) return option;
  const char* variable = std::getenv("STREAMD_STATE_DIR");
  return variable != nullptr && *variable != '\0' ? variable : "state";
}

int run_command(const RunArguments& arguments, const Registry& registry) {
  std::vector<std::string> secrets;
  auto plans = load_jobs(arguments.files, registry, &secrets);
  if (!plans) return kExitUsage;
  const std::string root = state_root(arguments.state_dir);
  for (auto& plan : *plans) add_default_dead_letters(plan, root, registry);
  if (const auto known = check_reset(arguments.reset_state, *plans); !known) {
    print_error(known.error());
    return kExitUsage;
  }
  raise_descriptor_limit();
  const SystemClock clock;
  std::stop_source stop;
  stop_on_signals(stop);

  RunOptions options;
  options.workers =
      arguments.workers > 0 ? arguments.workers : std::max(1u, std::thread::hardware_concurrency());
  options.state_root = root;
  options.fresh = arguments.fresh;
  options.reset_state = arguments.reset_state;
  options.clock = &clock;
  options.log = stderr_log();
  options.stop = stop.get_token();
  if (isatty(2) == 0) options.progress_every = Duration::from_seconds(5);
  const bool show_progress = !arguments.quiet && (arguments.progress || isatty(2) != 0);

  std::vector<int> codes(plans->size(), kExitDone);
  std::vector<std::jthread> others;
  const auto run = [&](std::size_t i) {
    RunOptions own = options;
    own.checkpoint_every = (*plans)[i].checkpoint_every;
    own.observe = [&](const Observed& observed) {
      return watch(observed, {&clock, own.log, secrets, own.checkpoint_every});
    };
    codes[i] = run_one((*plans)[i], own, stop, show_progress, !arguments.quiet);
  };
  for (std::size_t i = 1; i < plans->size(); ++i) others.emplace_back(run, i);
  run(0);
  others.clear();
  return *std::max_element(codes.begin(), codes.end());
}

}  // namespace streamd
