// SPDX-License-Identifier: Apache-2.0
// Recording: what has come to one place of a pipeline under test. It outlives runs: a restart takes
// back what came after the last checkpoint, as a sink that writes exactly once does. One thread.
#pragma once

#include "engine/api/sink.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamd::testing {

struct Recording {
  std::vector<std::string> rows;  // JSON objects
  std::uint64_t fails = 0;        // the next so many writes and flushes do, for now
};

// A sink that records. Asks for the whole of every record.
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

 private:
  Schema in_;
  std::shared_ptr<Recording> recording_ = std::make_shared<Recording>();
};

}  // namespace streamd::testing
