// SPDX-License-Identifier: Apache-2.0
// Recording: what has come to one place of a pipeline under test. It outlives runs: a restart takes
// back what came after the last checkpoint, as a sink that writes exactly once does. One thread.
#pragma once

#include "engine/api/rendering.h"
#include "engine/api/sink.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace streamd::testing {

struct Recording {
  std::vector<std::string> rows;  // JSON objects
  std::vector<std::string> sent;  // the same, of what the sink would have sent
  std::uint64_t fails = 0;        // the next so many writes and flushes do, for now
};

// A sink that records, in the place of the pipeline's own: what the own one cannot write becomes a
// dead letter, as in a run. Asks for the whole of every record.
class RecordingPlan final : public SinkPlan {
 public:
  Needs needs() const override { return {{}, true}; }
  void bind(const Schema& in, Diagnostics&) override { in_ = in; }
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override { return "rows of a test"; }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override;

  // Before open().
  void record_into(std::shared_ptr<Recording> recording) { recording_ = std::move(recording); }
  // The sink in whose place it is; it is bound anew to what comes here. `last`: behind it there are
  // no dead letters, so what it cannot write ends the run.
  void stand_for(std::unique_ptr<SinkPlan> own, bool last = false);
  // What can be expected of it as `sent`; none: that it sends nothing can't be seen, either.
  std::span<const SentField> sent_fields() const;

 private:
  const Renders* renders() const { return dynamic_cast<const Renders*>(own_.get()); }

  Schema in_;
  std::unique_ptr<SinkPlan> own_;
  bool last_ = false;
  std::shared_ptr<Recording> recording_ = std::make_shared<Recording>();
};

}  // namespace streamd::testing
