// SPDX-License-Identifier: Apache-2.0
// Ingest: turns a source's raw records into a batch: decode the projected columns, read the event
// time, advance the lane's clock. One per worker and source, that worker's thread only.
#pragma once

#include "engine/api/source.h"
#include "engine/codec/decode.h"
#include "engine/codec/time_format.h"
#include "engine/core/batch.h"
#include "engine/plan/plan.h"
#include "engine/runtime/accounting.h"
#include "engine/runtime/dead_letters.h"
#include "engine/runtime/lane.h"

#include <memory>
#include <optional>

namespace streamd {

class Ingest {
 public:
  Ingest(const PlanNode& source, const Clock& clock);
  // Records that can't be used go to `bad` and are counted. The batch may be empty.
  Batch decode(const RawBatch& raw, Lane& lane, NodeCounters& counters, DeadLetters& bad);
  Duration max_delay() const;
  Duration idle_after() const;

 private:
  // The record's event time; nullopt after a dead letter.
  std::optional<EventTime> time_of(const RawRecord& record, const Value* field, EventTime latest,
                                   NodeCounters& counters, Fault& fault);

  const PlanNode& source_;
  const Clock& clock_;
  std::unique_ptr<Decoder> decoder_;
  Decoded decoded_;
  std::optional<TimeFormat> time_format_;
  std::size_t time_column_ = 0;
  std::string reason_;
};

}  // namespace streamd
