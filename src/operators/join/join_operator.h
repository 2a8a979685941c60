// SPDX-License-Identifier: Apache-2.0
// JoinOperator: finds the pairs. Each record is compared with those of the other side that are
// held under its key, whichever came first, so which pairs there are does not depend on the order
// of arrival. One per worker, that worker's thread only.
//
// A result's event time is when it is known: the later one of a pair, or the end of the time in
// which a partner could come. So it is late for nobody behind.
#pragma once

#include "engine/api/operator.h"
#include "operators/join/held.h"
#include "operators/key_parts.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamd::join {

enum class Pairs { each, newest };
enum class Unmatched { drop, keep };

// What the file says, bound; const, shared by all workers. A record of the second side belongs to
// one of the first when first - before <= second <= first + after.
struct JoinShape {
  std::int64_t before = 0, after = 0;  // microseconds
  Pairs pairs = Pairs::each;
  Unmatched unmatched = Unmatched::drop;
  std::uint64_t max_keys = 0, max_records = 0;

  std::array<KeyColumns, 2> keys;
  // Columns of a batch and their names in the file: of the first side all, of the second those that
  // the result takes. None: a field that no record has.
  std::array<std::vector<std::optional<std::size_t>>, 2> columns;
  std::array<std::vector<std::string>, 2> names;
  std::size_t side_column = 0;
  bool keeps_raw = false;  // the first side's raw bytes are part of the result
};

// Which side the records of a batch that is not empty are of.
Side side_of(const JoinShape& shape, const Batch& batch);

class JoinOperator final : public Operator {
 public:
  JoinOperator(const JoinShape& shape, const OperatorContext& context);

  Status restore(StateReader& state) override { return held_.restore(state); }
  Status on_batch(const Batch& in, Emitter& out) override;
  Status on_watermark(EventTime w, Emitter& out) override;
  Status checkpoint(StateWriter& state) override;
  std::size_t live_keys() const override { return held_.keys(); }

 private:
  Held take(const Batch& in, std::size_t i, Side side);
  void pair(HeldRecords::Entry& entry, Side side, Held& record, Emitter& out);
  void settle(HeldRecords::Entry& entry, Emitter& out);
  bool belongs(const Held& first, const Held& second) const;
  // `second` may be null.
  void give(const Held& first, const Held* second, std::int64_t time, Emitter& out);
  void start_results();
  void flush(Emitter& out);

  const JoinShape& shape_;
  const std::uint64_t seed_;
  const std::shared_ptr<const Origin> origin_;
  std::array<KeyReader, 2> readers_;
  HeldRecords held_;
  std::int64_t watermark_ = INT64_MIN;
  std::uint64_t source_ = 0;  // part of the ids of a batch's records
  std::string key_, value_;

  std::shared_ptr<Arena> arena_;  // results while they are collected
  std::shared_ptr<Rows> rows_;
  std::vector<std::shared_ptr<Column>> columns_;
};

}  // namespace streamd::join
