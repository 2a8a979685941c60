// SPDX-License-Identifier: Apache-2.0
// Batch: up to a few thousand records as columns over raw bytes. Immutable once built and cheap to
// copy (a handful of shared pointers): a filter makes a selection, a map adds a column, a fan-out
// copies pointers. May move between workers; never changed after it was emitted.
#pragma once

#include "engine/core/time.h"
#include "engine/core/value.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

using Column = std::vector<Value>;  // one Value per physical row
using ColumnPtr = std::shared_ptr<const Column>;

// Per physical row, whatever the columns are. All vectors have one entry per row, except that
// `raw` may be empty when no record has raw bytes (window results).
struct Rows {
  std::vector<EventTime> time;
  // The watermark of the record's own partition just before this record: windows that end at or
  // before it do not count the record. EventTime::min() = the record is never late. Decided where
  // the partition is read, so that lateness does not depend on workers or on batch boundaries.
  std::vector<EventTime> floor;
  std::vector<std::string_view> raw;
  // Raw records: the position in the partition. Window results: a stable hash of (key, window end,
  // edge). With `origin` it is the record's deterministic id.
  std::vector<std::uint64_t> position;
};

// Where the records of a batch come from. One per (source, partition), or one per window node.
struct Origin {
  std::string node;       // name of the source or window
  std::string partition;  // empty for window results
};

class Batch {
 public:
  Batch() = default;
  Batch(std::shared_ptr<const Rows> rows, std::vector<ColumnPtr> columns,
        std::shared_ptr<const Origin> origin)
      : rows_(std::move(rows)), columns_(std::move(columns)), origin_(std::move(origin)) {}

  // Selected rows. i below is always in [0, size()).
  std::size_t size() const {
    return selection_ ? selection_->size() : (rows_ ? rows_->time.size() : 0);
  }
  bool empty() const { return size() == 0; }
  std::uint32_t physical(std::size_t i) const {
    return selection_ ? (*selection_)[i] : static_cast<std::uint32_t>(i);
  }
  std::size_t physical_rows() const { return rows_ ? rows_->time.size() : 0; }
  // Physical indices of the selected rows in order, or null when all rows are selected.
  const std::vector<std::uint32_t>* selection() const { return selection_.get(); }

  std::size_t column_count() const { return columns_.size(); }
  const ColumnPtr& column(std::size_t c) const { return columns_[c]; }
  const std::vector<ColumnPtr>& columns() const { return columns_; }
  const Value& at(std::size_t c, std::size_t i) const { return (*columns_[c])[physical(i)]; }

  EventTime time(std::size_t i) const { return rows_->time[physical(i)]; }
  EventTime floor(std::size_t i) const { return rows_->floor[physical(i)]; }
  std::uint64_t position(std::size_t i) const { return rows_->position[physical(i)]; }
  std::string_view raw(std::size_t i) const {
    return rows_->raw.empty() ? std::string_view{} : rows_->raw[physical(i)];
  }
  const Rows& rows() const { return *rows_; }
  const std::shared_ptr<const Rows>& rows_ptr() const { return rows_; }
  const Origin& origin() const { return *origin_; }
  const std::shared_ptr<const Origin>& origin_ptr() const { return origin_; }

  // The same batch with only these rows (physical indices, ascending).
  Batch select(std::vector<std::uint32_t> physical_rows) const {
    Batch b = *this;
    b.selection_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(physical_rows));
    return b;
  }
  // By physical row, of the selected ones: hash_key() of the key by which the exchange sent the
  // records to this node; null without an exchange. Not handed on to other nodes.
  const std::vector<std::uint64_t>* key_hashes() const { return key_hashes_.get(); }
  Batch with_key_hashes(std::shared_ptr<const std::vector<std::uint64_t>> hashes) const {
    Batch b = *this;
    b.key_hashes_ = std::move(hashes);
    return b;
  }
  // The same rows with other columns. Each must have physical_rows() entries.
  Batch with_columns(std::vector<ColumnPtr> columns) const {
    Batch b = *this;
    b.columns_ = std::move(columns);
    b.key_hashes_.reset();
    return b;
  }
  // The same rows as a node's own.
  Batch with_origin(std::shared_ptr<const Origin> origin) const {
    Batch b = *this;
    b.origin_ = std::move(origin);
    return b;
  }
  // Keeps a buffer or arena alive as long as this batch and its descendants.
  void keep(std::shared_ptr<const void> owner) { keep_.push_back(std::move(owner)); }

 private:
  std::shared_ptr<const Rows> rows_;
  std::vector<ColumnPtr> columns_;
  std::shared_ptr<const Origin> origin_;
  std::shared_ptr<const std::vector<std::uint32_t>> selection_;
  std::shared_ptr<const std::vector<std::uint64_t>> key_hashes_;
  std::vector<std::shared_ptr<const void>> keep_;
};

}  // namespace streamd
