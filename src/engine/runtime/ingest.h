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
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// Why a record with fault "too-long" is a dead letter, which then holds its beginning only.
inline constexpr std::string_view kLongerThanMaxRecord = "the record is longer than max_record";

class Ingest {
 public:
  Ingest(const PlanNode& source, const Clock& clock);
  // Records that can't be used go to `bad` and are counted. The batch may be empty.
  Batch decode(const RawBatch& raw, Lane& lane, NodeCounters& counters, DeadLetters& bad);
  Duration max_delay() const;
  Duration idle_after() const;

 private:
  // Counts the records, and refuses those that the source could not read.
  void take_in(const RawBatch& raw, Lane& lane, NodeCounters& counters, DeadLetters& bad);
  void reject(const RawRecord& record, const Fault& fault, Lane& lane, NodeCounters& counters,
              DeadLetters& bad);
  // Fills the rows; the good ones are in good_ unless all are. time_of: row and record to the
  // event time, or nullopt.
  template <class TimeOf>
  void fill(const RawBatch& raw, Rows& rows, Lane& lane, NodeCounters& counters, DeadLetters& bad,
            TimeOf time_of);
  // Why the time field gives no time.
  Fault time_fault(const Value& field);

  const PlanNode& source_;
  const Clock& clock_;
  std::unique_ptr<Decoder> decoder_;
  Decoded decoded_;
  std::optional<TimeFormat> time_format_;
  std::size_t time_column_ = 0;
  std::vector<std::uint32_t> good_;  // filled from the first unusable record on
  bool all_good_ = true;
  std::string reason_;
};

}  // namespace streamd
