// SPDX-License-Identifier: Apache-2.0
// FileSegments: the files of one file sink. The current one is at `path`; when it is full it is
// renamed to path.000001, path.000002, … once and for all. One thread.
//
// Bytes are put in memory first and written by flush(), so that what was put can be retried until
// the disk takes it. restore() makes the files what they were at a checkpoint.
#pragma once

#include "engine/core/error.h"
#include "engine/core/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class FileSegments {
 public:
  // Where the output ends: everything put so far, written or not.
  struct Mark {
    std::uint64_t segment = 1;
    std::uint64_t length = 0;   // bytes in the segment
    EventTime started{};        // when the segment was begun, by the wall clock
    std::string print() const;  // "1:<segment>:<length>:<started>"
    static std::optional<Mark> parse(std::string_view text);
  };

  explicit FileSegments(std::string path) : path_(std::move(path)) {}
  ~FileSegments();
  FileSegments(const FileSegments&) = delete;
  FileSegments& operator=(const FileSegments&) = delete;

  // The end of what is there now. Errors when the path cannot be a file.
  Result<Mark> existing(EventTime now) const;
  // Whether a line ends at `mark`. True at the beginning of a file, and where nothing can be read.
  bool ends_line(const Mark& mark) const;
  // The first bytes of the segment of `mark`, at most `most`; nullopt where they cannot be read.
  std::optional<std::string> beginning(const Mark& mark, std::size_t most) const;
  // Opens for appending at `mark`: undoes later rotations and cuts off what was written behind it.
  // An error of kind state when there is less than that.
  Status restore(const Mark& mark);

  void put(std::string_view bytes);
  // The next byte begins a new segment.
  void rotate(EventTime now);
  const Mark& end() const { return end_; }
  std::size_t unwritten() const { return pending_.size(); }

  // Deletes the full segments of a committed mark but for the newest `keep`. What cannot be deleted
  // stays.
  void remove_before(const Mark& mark, std::uint64_t keep);

  // Writes what was put. Retry::backoff where the disk may heal; goes on where it stopped.
  Status flush();
  // flush(), then on disk to stay. An error of kind state when the file was deleted meanwhile.
  Status sync();

 private:
  std::string rotated_name(std::uint64_t segment) const;
  int open_to_read(std::uint64_t segment) const;
  Status open_current();
  Status write_until(std::size_t end);
  Status finish_segment();
  Status sync_data() const;
  Status sync_names() const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t kept_from_ = 0;     // nothing older is left to delete; 0: not looked yet
  std::uint64_t open_segment_ = 1;  // the one that descriptor_ writes to
  bool dirty_ = false;              // written since the last sync
  Mark end_;
  std::string pending_;
  std::vector<std::size_t> cuts_;  // offsets in pending_ at which a new segment begins
};

}  // namespace streamd
