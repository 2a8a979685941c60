// SPDX-License-Identifier: Apache-2.0
#include "sources/file_partition.h"

#include "sources/file_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

namespace streamd {

FilePartition::FilePartition(std::string name, std::string path, std::unique_ptr<FileInput> file,
                             const FilePosition& position)
    : name_(std::move(name)), path_(std::move(path)), file_(std::move(file)), position_(position) {
  if (position_.offset == 0) position_.tail = hash_tail("");
  tail_known_ = position_.offset == 0;
  if (file_) position_.id = file_->id();
}

FilePosition FilePartition::position_now() const {
  FilePosition now = position_;
  if (tail_known_) now.tail = hash_tail(tail_);
  return now;
}

const Position& FilePartition::print_position() {
  const FilePosition now = position_now();
  if (printed_.empty() || now != printed_of_) {
    printed_of_ = now;
    printed_ = now.print();
  }
  return printed_;
}

Status FilePartition::read_block(std::size_t bytes, BlockPool& pool) {
  block_ = pool.take(bytes);
  auto got = file_->read_at(position_.offset, block_.get(), bytes);
  if (!got) return tl::unexpected(std::move(got).error());
  block_size_ = *got;
  block_full_ = *got == bytes;
  if (final_ || block_size_ == 0) return {};
  // After the block, so that what was read is known to follow what was read before.
  auto cut = overwritten();
  if (!cut) return tl::unexpected(std::move(cut).error());
  if (*cut) block_size_ = 0;
  block_full_ = block_full_ && !*cut;
  return {};
}

// The first `bytes` of the block have been dealt with.
void FilePartition::consume(std::size_t bytes) {
  if (bytes >= kTailBytes) {
    tail_.assign(block_.get() + bytes - kTailBytes, kTailBytes);
  } else {
    tail_.append(block_.get(), bytes);
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  }
  position_.offset += bytes;
}

// Everything that must be known before the first block.
Status FilePartition::prepare(BlockPool& pool) {
  if (!file_) STREAMD_TRY(open_again());
  if (was_cut_) return {};
  if (!tail_known_) {
    auto tail = tail_of(*file_, position_.offset);
    if (!tail) return tl::unexpected(std::move(tail).error());
    tail_known_ = final_ || (tail->has_value() && hash_tail(**tail) == position_.tail);
    if (tail_known_) tail_ = tail->value_or("");
  }
  if (position_.offset == 0) return skip_holes(pool);
  return {};
}

Status FilePartition::open_again() {
  auto opened = FileInput::open(find_beside(path_, position_.id).value_or(path_));
  if (!opened) return tl::unexpected(std::move(opened).error());
  if (position_.offset > 0 && (*opened)->id() != position_.id)
    return fail(ErrorKind::external,
                fmt::format("\"{}\", read up to byte {}, was replaced by another file", path_,
                            position_.offset),
                "Start again to read that one too.");
  file_ = std::move(*opened);
  if (position_.offset == 0 || final_) return {};
  auto cut = overwritten();
  if (!cut) return tl::unexpected(std::move(cut).error());
  was_cut_ = *cut;
  return {};
}

Status FilePartition::next(std::size_t max_records, std::size_t max_record, EventTime arrival,
                           BlockPool& pool, RawBatch& out) {
  if (ended()) return {};
  STREAMD_TRY(prepare(pool));
  if (auto size = file_->disk_size()) seen_size_ = *size;
  caught_up_ = !tail_known_;
  if (was_cut_) return {};
  while (out.records.empty() && !ended() && !caught_up_) {
    STREAMD_TRY(read_block(kBlockBytes, pool));
    if (position_.state == FilePosition::State::skipping && block_size_ > 0) {
      skip_long_line();
      continue;
    }
    const std::uint64_t before = position_.offset;
    take_block(max_records, max_record, arrival, out);
    if (position_.offset > before) continue;
    if (block_full_ && block_size_ < max_record + 2) {
      STREAMD_TRY(read_block(max_record + 2, pool));
      take_block(1, max_record, arrival, out);
      if (position_.offset > before) continue;
    }
    if (block_size_ > max_record + 1) {
      add_fault("too-long", arrival, out);
      consume(block_size_);
      position_.state = FilePosition::State::skipping;
    } else if (final_) {
      take_end(arrival, out);
    } else {
      caught_up_ = true;
    }
  }
  if (!out.records.empty()) {
    out.buffer = block_;
    out.padding = kBlockPadding;
  }
  block_.reset();
  if (ended()) {
    ended_times_ = file_->times();
    release();
  }
  return {};
}

// A file that was cut under a writer without O_APPEND begins with a hole of NUL bytes.
Status FilePartition::skip_holes(BlockPool& pool) {
  auto block = pool.take();
  for (;;) {
    auto got = file_->read_at(hole_, block.get(), kBlockBytes);
    if (!got) return tl::unexpected(std::move(got).error());
    const char* begin = block.get();
    const char* end = begin + *got;
    const char* text = std::find_if(begin, end, [](char c) { return c != '\0'; });
    hole_ += static_cast<std::uint64_t>(text - begin);
    if (text != end) break;
    if (*got < kBlockBytes) return {};
  }
  if (hole_ == 0) return {};
  position_.offset = hole_;
  tail_.assign(std::min<std::uint64_t>(hole_, kTailBytes), '\0');
  return {};
}

void FilePartition::skip_long_line() {
  const void* end = std::memchr(block_.get(), '\n', block_size_);
  if (end == nullptr) {
    consume(block_size_);
    return;
  }
  consume(static_cast<std::size_t>(static_cast<const char*>(end) - block_.get()) + 1);
  position_.state = FilePosition::State::reading;
}

void FilePartition::take_block(std::size_t max_records, std::size_t max_record, EventTime arrival,
                               RawBatch& out) {
  const std::size_t used =
      take_lines(block_.get(), block_size_, position_.offset, arrival, max_records, out);
  for (RawRecord& record : out.records) {
    if (record.data.size() <= max_record) continue;
    record.data = record.data.substr(0, kFaultBytes);
    record.fault = "too-long";
  }
  if (used > 0) consume(used);
}

// What is left has no line end and none will come.
void FilePartition::take_end(EventTime arrival, RawBatch& out) {
  const std::string_view damage = file_->damage();
  if (!damage.empty())
    add_fault(damage, arrival, out);
  else if (position_.state == FilePosition::State::reading)
    append_line(block_.get(), block_size_, position_.offset, arrival, out);
  consume(block_size_);
  position_.state = FilePosition::State::ended;
}

void FilePartition::add_fault(std::string_view code, EventTime arrival, RawBatch& out) {
  RawRecord record;
  record.data = {block_.get(), std::min(block_size_, kFaultBytes)};
  record.position = position_.offset;
  record.arrival = arrival;
  record.fault = code;
  out.records.push_back(record);
}

Result<bool> FilePartition::overwritten() {
  if (was_cut_) return true;
  if (!file_) return false;
  auto size = file_->disk_size();
  if (!size) return tl::unexpected(std::move(size).error());
  if (file_->gzip() && tail_known_) return *size < seen_size_;
  if (!file_->gzip() && *size < position_.offset) return true;
  auto tail = tail_of(*file_, position_.offset);
  if (!tail) return tl::unexpected(std::move(tail).error());
  if (!tail->has_value()) return true;
  return tail_known_ ? **tail != tail_ : hash_tail(**tail) != position_.tail;
}

Result<bool> FilePartition::holds(FileInput& copy) {
  std::unique_ptr<FileInput> reopened;
  if (!file_) {
    auto opened = FileInput::open(path_);
    if (!opened) return false;
    reopened = std::move(*opened);
  }
  FileInput& original = file_ ? *file_ : *reopened;
  auto size = copy.disk_size();
  if (!size) return tl::unexpected(std::move(size).error());
  auto copied = tail_of(copy, *size);
  if (!copied) return tl::unexpected(std::move(copied).error());
  auto here = tail_of(original, *size);
  if (!here) return tl::unexpected(std::move(here).error());
  if (here->has_value() && *here == *copied) return true;
  return overwritten();
}

Result<bool> FilePartition::held_by(FileInput& copy) {
  if (!file_ || file_->gzip()) return false;
  auto size = file_->disk_size();
  if (!size) return tl::unexpected(std::move(size).error());
  auto here = tail_of(*file_, *size);
  if (!here) return tl::unexpected(std::move(here).error());
  auto copied = tail_of(copy, *size);
  if (!copied) return tl::unexpected(std::move(copied).error());
  return here->has_value() && *here == *copied;
}

Result<FilePartition::Since> FilePartition::since_end() {
  std::error_code problem;
  const auto size = std::filesystem::file_size(path_, problem);
  const auto times = FileTimes::of(path_);
  if (problem || (size == seen_size_ && times == ended_times_)) return Since::same;
  auto file = FileInput::open(path_);
  if (!file) return Since::same;
  auto still = continues(**file, position_now());
  if (!still) return tl::unexpected(std::move(still).error());
  if (!*still) return Since::replaced;
  const bool grown = size > seen_size_;
  seen_size_ = size;
  ended_times_ = times;
  if (!grown) return Since::same;
  file_ = std::move(*file);
  return Since::grown;
}

void FilePartition::move_to(std::unique_ptr<FileInput> file, std::string path) {
  file_ = std::move(file);
  path_ = std::move(path);
  position_.id = file_->id();
  seen_size_ = 0;
  was_cut_ = false;
  caught_up_ = false;
}

Status FilePartition::skip_to_end() {
  BlockPool pool;
  for (;;) {
    STREAMD_TRY(read_block(kBlockBytes, pool));
    std::size_t lines = block_size_;
    while (lines > 0 && block_[lines - 1] != '\n') --lines;
    if (lines == 0 && !block_full_) break;
    consume(lines > 0 ? lines : block_size_);
  }
  block_.reset();
  tail_known_ = true;
  return {};
}

}  // namespace streamd
