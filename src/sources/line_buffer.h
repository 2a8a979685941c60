// SPDX-License-Identifier: Apache-2.0
// LineBuffer: lines out of bytes that come in pieces of any size, without copying complete ones.
//
//   const auto room = lines.room();
//   lines.filled(read(room.at, room.size));
//   lines.take(clock.wall(), 4096, batch);   // batch.buffer keeps the bytes
//
// A line longer than max_record is one record with fault "too-long" that shows its beginning; the
// rest of it is skipped, so memory stays bounded. One thread.
#pragma once

#include "engine/api/source.h"
#include "engine/core/block_pool.h"

#include <cstddef>
#include <memory>

namespace streamd {

class LineBuffer {
 public:
  explicit LineBuffer(std::size_t max_record) : max_record_(max_record) {}

  // Where the next bytes go; size > 0. Valid until the next call.
  struct Room {
    char* at;
    std::size_t size;
  };
  Room room();
  // How many were put there.
  void filled(std::size_t bytes) { end_ += bytes; }
  // Nothing follows: what is there is the last line.
  void finish() { at_end_ = true; }
  // What is there is no line: the connection was cut. Returns its size; a new stream may begin.
  std::size_t drop_rest();

  // Appends complete lines to `out`, without their ends and without empty ones, up to max_records,
  // and sets buffer and padding. Positions are 0.
  void take(EventTime arrival, std::size_t max_records, RawBatch& out);
  bool empty() const { return begin_ == end_; }

 private:
  void make_room();
  bool skip_rest_of_line();
  void take_rest(EventTime arrival, RawBatch& out);

  const std::size_t max_record_;
  BlockPool pool_;
  std::shared_ptr<char[]> block_;
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
  std::size_t searched_ = 0;  // no line end between begin_ and here
  bool lent_ = false;         // a batch points into block_
  bool skipping_ = false;     // inside a line that was handed out as too long
  bool at_end_ = false;
};

}  // namespace streamd
