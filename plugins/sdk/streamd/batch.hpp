// SPDX-License-Identifier: Apache-2.0
// The records that a call brings, without a copy. All of it is valid during that call only.
//
//   for (const sd::Record record : batch)
//     if (const auto bytes = record[config().bytes].number()) total += *bytes;
#pragma once

#include "field_type.hpp"

#include <iterator>

namespace sd {

class Batch;

class Record {
 public:
  inline Record(const Batch& batch, std::size_t number);

  // Missing when the record has no such field or the option is not set.
  Value operator[](const Column& column) const { return column_value(column.number); }
  inline Value column_value(std::uint32_t number) const;
  // Event time.
  inline Time time() const;
  // Its number in the partition it came from.
  inline std::uint64_t position() const;
  // Keyed operators: names its key, in bytes of the engine's own that are not for reading.
  inline std::string_view key() const;

  std::size_t number() const { return number_; }  // in the batch
  std::size_t entry() const { return entry_; }    // in columns
  inline const sd_batch& raw_batch() const;

 private:
  const Batch* batch_;
  std::size_t number_, entry_;
};

class Batch {
 public:
  explicit Batch(const sd_batch& raw)
      : raw_(&raw), rows_(raw.rows), index_(raw.index), columns_(raw.columns), times_(raw.times) {}

  std::size_t size() const { return rows_; }
  bool empty() const { return rows_ == 0; }
  Record operator[](std::size_t number) const { return {*this, number}; }
  // The node that read or made these records, and the partition of the source.
  std::string_view origin() const { return text(raw_->origin); }
  std::string_view partition() const { return text(raw_->partition); }
  const sd_batch& raw() const { return *raw_; }

  class Iterator {
   public:
    using value_type = Record;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Batch* batch, std::size_t number) : batch_(batch), number_(number) {}
    Record operator*() const { return {*batch_, number_}; }
    Iterator& operator++() {
      ++number_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++number_;
      return before;
    }
    bool operator==(const Iterator& other) const { return number_ == other.number_; }

   private:
    const Batch* batch_ = nullptr;
    std::size_t number_ = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, rows_}; }

 private:
  friend class Record;
  const sd_batch* raw_;
  // Copies: the compiler knows that what a loop writes is not one of them.
  std::size_t rows_;
  const std::uint32_t* index_;
  const sd_value* const* columns_;
  const std::int64_t* times_;
};

inline Record::Record(const Batch& batch, std::size_t number)
    : batch_(&batch),
      number_(number),
      entry_(batch.index_ == nullptr ? number : batch.index_[number]) {}
inline Value Record::column_value(std::uint32_t number) const {
  const sd_value* values = batch_->columns_[number];
  return values == nullptr ? Value() : Value(values[entry_]);
}
inline Time Record::time() const { return Time(Duration(batch_->times_[entry_])); }
inline std::uint64_t Record::position() const { return batch_->raw_->positions[entry_]; }
inline std::string_view Record::key() const { return text(batch_->raw_->keys[number_]); }
inline const sd_batch& Record::raw_batch() const { return *batch_->raw_; }

static_assert(std::forward_iterator<Batch::Iterator>);

}  // namespace sd
