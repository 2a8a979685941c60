// SPDX-License-Identifier: Apache-2.0
// Outbox: the queue on disk between a pipeline and a far side that may be slow or away.
//
// Frames (item.h) in files of about 16 MiB, named by the place of their first byte, and a file
// `sent` that says up to where everything is over. The end of the queue belongs to a checkpoint:
// state() goes into the epoch, and what was written after the last committed epoch is cut off at
// the next start, because the pipeline will write it again. `sent` is kept apart, so that a restart
// sends again only what was on its way; it never goes beyond a committed end.
//
// Not thread-safe, but for sync(): the owner (delivery.h) holds one lock over it.
#pragma once

#include "engine/core/error.h"
#include "engine/io/delivery/item.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::delivery {

struct OutboxOptions {
  std::string folder;                               // made when it is not there
  std::uint64_t limit = std::uint64_t{1} << 30;     // bytes; what does not fit has to wait
  std::uint64_t segment = std::uint64_t{16} << 20;  // bytes of a file, about
  // Each step of `sent` is synced: for a far side where a record that is sent twice is there twice.
  bool sync_sent = false;
};

class Outbox {
 public:
  // restored: state() of the last committed epoch; empty = none was ever committed, so whatever is
  // in the folder is given up. An error says what is damaged or missing, and what can be done.
  static Result<std::unique_ptr<Outbox>> open(OutboxOptions options, std::string_view restored);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // --- writing
  // True when so many bytes may be appended. An empty outbox has room for anything.
  bool has_room(std::uint64_t bytes) const;
  // Frames, made for the place end(). All or nothing: after an error it may be called again.
  Status append(std::string_view frames);
  std::uint64_t end() const { return end_; }
  // Text for the epoch whose barrier is now.
  std::string state() const;
  // Makes durable what was appended before `begin_sync()`; may run beside every other call.
  struct Unsynced {
    std::vector<int> files;  // duplicates, closed by sync()
    bool names = false;
    std::string folder;
  };
  Result<Unsynced> begin_sync();
  static Status sync(Unsynced work);
  // Everything before `end` belongs to a committed epoch.
  Status committed(std::uint64_t end);

  // --- reading and getting rid
  // Items from `place` on, up to `until`, at most so many and so many bytes, at least one if there
  // is one.
  Result<std::vector<Item>> read(std::uint64_t place, std::uint64_t until, std::size_t items,
                                 std::size_t bytes) const;
  // Everything before `place` is over. Written down as far as it is committed; files that hold
  // nothing else are deleted.
  Status finished(std::uint64_t place);
  std::uint64_t begin() const { return begin_; }

 private:
  struct Segment {
    std::uint64_t begin = 0, end = 0;
    int file = -1;
    bool dirty = false;
  };
  explicit Outbox(OutboxOptions options) : options_(std::move(options)) {}
  Status give_up_all();
  Status find_segments();
  Status restore(std::uint64_t end);
  Result<std::uint64_t> read_sent();
  Status write_sent();
  Status open_segment();
  std::string name_of(std::uint64_t begin) const;
  tl::unexpected<Error> damaged(const std::string& what) const;

  OutboxOptions options_;
  std::deque<Segment> segments_;
  std::uint64_t begin_ = 0;  // everything before is over
  std::uint64_t end_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t written_down_ = 0;  // what `sent` says
  int sent_ = -1;
  unsigned sent_slot_ = 0;
  bool new_names_ = false;  // a file was made that the folder's sync has not seen
};

}  // namespace streamd::delivery
