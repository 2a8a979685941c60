// SPDX-License-Identifier: Apache-2.0
// FilePartition: one file that is being read, and keeps its name and position when the file is
// renamed. A batch is a pure function of the file's bytes and the position it starts from.
#pragma once

#include "sources/file_position.h"
#include "sources/line_block.h"

#include <memory>
#include <string>

namespace streamd {

// One thread.
class FilePartition {
 public:
  // At the beginning of `file`, or where `position` stands in it (then it `continues` it).
  FilePartition(std::string name, std::string path, std::unique_ptr<FileInput> file,
                const FilePosition& position);

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }  // where the file is now, as far as known
  void moved(std::string path) { path_ = std::move(path); }
  const FilePosition& position() const { return position_; }  // all but its `tail`
  FilePosition position_now() const;
  const Position& print_position();

  // Appends the next block of lines to `out` (whose partition number is not touched). Nothing
  // appended: there are no more for now, or it has ended.
  Status next(std::size_t max_records, std::size_t max_record, EventTime arrival, BlockPool& pool,
              RawBatch& out);
  // The file will not grow any more: a last line without line end counts, then the partition ends.
  void finish() { final_ = true; }
  void reopen() {
    final_ = false;
    if (ended()) position_.state = FilePosition::State::reading;
  }
  // Its inode has been given to another file.
  void lost() { position_.id = {}; }
  bool ended() const { return position_.state == FilePosition::State::ended; }
  bool caught_up() const { return caught_up_; }
  void expect_more() { caught_up_ = false; }  // until the next look

  // Whether the file was cut or written anew, so that `position` means nothing in it any more.
  Result<bool> overwritten();
  // What became of the file since it ended; one that has grown is open again. Once it was let go,
  // another one may have its inode.
  enum class Since { same, grown, replaced };
  Result<Since> since_end();
  // Whether `copy`, a plain file, has nothing that this file does not have at the same place. Also
  // true when this file was cut meanwhile: `overwritten` says so from now on.
  Result<bool> holds(FileInput& copy);
  // Whether `copy`, plain or compressed, has all that this file, a plain one that is open, has.
  Result<bool> held_by(FileInput& copy);
  // As far as known: those of when it ended, once it was let go.
  std::optional<FileTimes> times() const { return file_ ? file_->times() : ended_times_; }
  // Goes on in a copy of the file.
  void move_to(std::unique_ptr<FileInput> file, std::string path);
  // For the first start with `from: end`: skips all complete lines.
  Status skip_to_end();
  // Gives the descriptor back; next() opens the file again, wherever rotation has put it.
  void release() { file_.reset(); }
  bool is_open() const { return file_ != nullptr; }

 private:
  Status prepare(BlockPool& pool);
  Status open_again();
  Status read_block(std::size_t bytes, BlockPool& pool);
  void consume(std::size_t bytes);
  Status skip_holes(BlockPool& pool);
  void skip_long_line();
  void take_block(std::size_t max_records, std::size_t max_record, EventTime arrival,
                  RawBatch& out);
  void take_end(EventTime arrival, RawBatch& out);
  // `code`: a literal.
  void add_fault(std::string_view code, EventTime arrival, RawBatch& out);

  std::string name_;
  std::string path_;
  std::unique_ptr<FileInput> file_;
  FilePosition position_;
  std::string tail_;  // the bytes that position_.tail is the hash of, once `tail_known_`
  bool tail_known_ = false;
  // Printed last, and what it is of: positions are asked for far more often than they change.
  FilePosition printed_of_;
  Position printed_;
  std::uint64_t hole_ = 0;  // leading NUL bytes known so far
  std::uint64_t seen_size_ = 0;
  std::optional<FileTimes> ended_times_;
  bool was_cut_ = false;  // while it was closed
  bool final_ = false;
  bool caught_up_ = false;

  std::shared_ptr<char[]> block_;  // bytes from position_.offset on
  std::size_t block_size_ = 0;
  bool block_full_ = false;  // the file may go on behind the block
};

}  // namespace streamd
