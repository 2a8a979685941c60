// SPDX-License-Identifier: Apache-2.0
// Lane: the bookkeeping of one assigned partition, without any I/O. Decides which fetched record
// may be handed out, where the partition stands, and whether it has been read to its end.
//
// librdkafka may deliver a record twice or from before a seek, so offsets only go up; it skips
// numbers where the log was compacted or holds transaction markers, so gaps mean nothing.
#pragma once

#include <cstdint>
#include <optional>

namespace streamd::kafka {

class Lane {
 public:
  // start: first offset wanted. end: first offset not wanted any more (bounded reading).
  explicit Lane(std::int64_t start, std::optional<std::int64_t> end = std::nullopt)
      : next_(start), position_(start), end_(end) {}

  // A record was fetched. True: keep it, it will be handed out. False: drop it.
  bool offer(std::int64_t offset);
  // The broker had nothing at or after `offset` when it was fetched. Markers before it were
  // skipped.
  void reached(std::int64_t offset);
  // Everything before `offset` was looked at, when the partition ended at `end`; which may be a
  // moment before what was read.
  void walked(std::int64_t offset, std::int64_t end) {
    // A bounded lane asks for nothing beyond: no record will come that tells so.
    if (offset == end || !wants(offset)) reached(offset);
  }
  // The broker says that the partition goes on up to `offset`.
  void grows_to(std::int64_t offset) {
    known_end_ = offset;
    if (offset > next_) at_end_ = false;
  }
  // Kept records up to and including `offset` were handed out; `all`: none is waiting any more.
  void handed_out(std::int64_t offset, bool all);
  // Kept records that were not handed out are forgotten; they will be offered again.
  void rewind();
  // The offset does not exist any more: reading goes on at `offset`, in a log that ends at `end`.
  void jump(std::int64_t offset, std::int64_t end);

  std::int64_t position() const { return position_; }  // just after the last one handed out
  std::int64_t next() const { return next_; }          // next one to be offered
  bool caught_up() const { return at_end_ && position_ == next_; }
  bool ended() const { return end_ && position_ >= *end_; }
  bool wants_more() const { return wants(next_); }
  bool wants(std::int64_t offset) const { return !end_ || offset < *end_; }

 private:
  std::int64_t next_;
  std::int64_t position_;
  std::optional<std::int64_t> end_;
  std::int64_t known_end_ = 0;  // that the broker was asked for last
  bool at_end_ = false;
};

}  // namespace streamd::kafka
