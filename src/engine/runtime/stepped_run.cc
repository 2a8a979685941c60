// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/stepped_run.h"

#include "engine/runtime/control.h"

#include <utility>

namespace streamd {
namespace {

// A sink that is not ready after so many questions never will be.
constexpr int kPatience = 100'000;

RunOptions with_one_worker(RunOptions options) {
  options.workers = 1;
  options.stepped = true;
  return options;
}

}  // namespace

Status Run::step_until_quiet() {
  while (!checkpoint_.failed() && workers_.front()->turn()) {
  }
  if (checkpoint_.failed()) return tl::unexpected(checkpoint_.error());
  return {};
}

Status Run::step_epoch() {
  STREAMD_TRY(step_until_quiet());
  checkpoint_.start(next_epoch_, false);
  for (int looks = 0; looks < kPatience; ++looks) {
    workers_.front()->turn();
    if (checkpoint_.failed()) return tl::unexpected(checkpoint_.error());
    auto parts = checkpoint_.take();
    if (!parts) continue;
    STREAMD_TRY(commit(std::move(*parts)));
    return step_until_quiet();  // sinks are told of the commit
  }
  return fail(ErrorKind::internal, "a sink does not make its records durable");
}

SteppedRun::SteppedRun(const Plan& plan, RunOptions options)
    : options_(with_one_worker(std::move(options))), run_(std::make_unique<Run>(plan, options_)) {}

SteppedRun::~SteppedRun() = default;

Result<std::unique_ptr<SteppedRun>> SteppedRun::open(const Plan& plan, RunOptions options) {
  std::unique_ptr<SteppedRun> stepped(new SteppedRun(plan, std::move(options)));
  STREAMD_TRY(stepped->run_->prepare());
  return stepped;
}

Status SteppedRun::settle() { return run_->step_until_quiet(); }
Status SteppedRun::checkpoint() { return run_->step_epoch(); }
Progress SteppedRun::progress() const { return run_->progress(); }

}  // namespace streamd
