// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/stepped_run.h"

#include "engine/runtime/control.h"

#include <utility>

namespace streamd {
namespace {

// A sink that is not ready after so many questions never will be.
constexpr int kPatience = 100'000;

RunOptions stepped(RunOptions options) {
  options.stepped = true;
  return options;
}

}  // namespace

bool Run::step(unsigned worker) { return workers_[worker]->turn(); }

// A worker that found nothing to do may still have told the next one of event time.
Status Run::step_until_quiet() {
  for (std::size_t quiet = 0; quiet < workers_.size() && !checkpoint_.failed();) {
    bool busy = false;
    for (unsigned w = 0; w < workers_.size(); ++w) busy = step(w) || busy;
    quiet = busy ? 0 : quiet + 1;
  }
  if (checkpoint_.failed()) return tl::unexpected(checkpoint_.error());
  return {};
}

Status Run::step_epoch() {
  STREAMD_TRY(step_until_quiet());
  wants_epoch_ = false;
  checkpoint_.start(next_epoch_, false);
  for (int looks = 0; looks < kPatience; ++looks) {
    for (unsigned w = 0; w < workers_.size(); ++w) step(w);
    if (checkpoint_.failed()) return tl::unexpected(checkpoint_.error());
    auto parts = checkpoint_.take();
    if (!parts) continue;
    STREAMD_TRY(commit(std::move(*parts)));
    return step_until_quiet();  // sinks are told of the commit
  }
  return fail(ErrorKind::internal, "a sink does not make its records durable");
}

SteppedRun::SteppedRun(const Plan& plan, RunOptions options)
    : options_(stepped(std::move(options))), run_(std::make_unique<Run>(plan, options_)) {}

SteppedRun::~SteppedRun() = default;

Result<std::unique_ptr<SteppedRun>> SteppedRun::open(const Plan& plan, RunOptions options) {
  std::unique_ptr<SteppedRun> stepped(new SteppedRun(plan, std::move(options)));
  STREAMD_TRY(stepped->run_->prepare());
  return stepped;
}

bool SteppedRun::turn(unsigned worker) { return run_->step(worker); }

Status SteppedRun::settle() {
  STREAMD_TRY(run_->step_until_quiet());
  while (run_->wants_epoch()) STREAMD_TRY(run_->step_epoch());
  return {};
}

Status SteppedRun::checkpoint() {
  STREAMD_TRY(run_->step_epoch());
  return settle();
}

Progress SteppedRun::progress() const { return run_->progress(); }

}  // namespace streamd
