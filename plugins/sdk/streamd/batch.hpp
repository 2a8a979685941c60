// SPDX-License-Identifier: Apache-2.0
// The records that a call brings, without a copy. All of it is valid during that call only.
//
//   for (const sd::Record record : batch)
//     if (const auto bytes = record[config().bytes].number()) total += *bytes;
#pragma once

#include "field_type.hpp"

#include <iterator>

namespace sd {

class Record {
 public:
  Record(const sd_batch& batch, std::size_t number)
      : batch_(&batch),
        number_(number),
        entry_(batch.index == nullptr ? number : batch.index[number]) {}

  // Missing when the record has no such field or the option is not set.
  Value operator[](const Column& column) const { return column_value(column.number); }
  Value column_value(std::uint32_t number) const {
    const sd_value* values = batch_->columns[number];
    return values == nullptr ? Value() : Value(values[entry_]);
  }
  // Event time.
  Time time() const { return Time(Duration(batch_->times[entry_])); }
  // Its number in the partition it came from.
  std::uint64_t position() const { return batch_->positions[entry_]; }
  // Keyed operators: names its key, in bytes of the engine's own that are not for reading.
  std::string_view key() const { return text(batch_->keys[number_]); }

  std::size_t number() const { return number_; }  // in the batch
  std::size_t entry() const { return entry_; }    // in columns
  const sd_batch& batch() const { return *batch_; }

 private:
  const sd_batch* batch_;
  std::size_t number_, entry_;
};

class Batch {
 public:
  explicit Batch(const sd_batch& raw) : raw_(&raw) {}

  std::size_t size() const { return raw_->rows; }
  bool empty() const { return raw_->rows == 0; }
  Record operator[](std::size_t number) const { return {*raw_, number}; }
  // The node that read or made these records, and the partition of the source.
  std::string_view origin() const { return text(raw_->origin); }
  std::string_view partition() const { return text(raw_->partition); }
  const sd_batch& raw() const { return *raw_; }

  class Iterator {
   public:
    using value_type = Record;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const sd_batch* batch, std::size_t number) : batch_(batch), number_(number) {}
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
    const sd_batch* batch_ = nullptr;
    std::size_t number_ = 0;
  };
  Iterator begin() const { return {raw_, 0}; }
  Iterator end() const { return {raw_, raw_->rows}; }

 private:
  const sd_batch* raw_;
};
static_assert(std::forward_iterator<Batch::Iterator>);

}  // namespace sd
