// SPDX-License-Identifier: Apache-2.0
// FileInput: one open file as bytes at offsets, plain or gzip (offsets count decompressed bytes).
// One thread.
#pragma once

#include "engine/codec/gzip.h"
#include "engine/core/error.h"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace streamd {

struct FileId {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  auto operator<=>(const FileId&) const = default;
};
// Of a regular file, following links; nullopt when there is none.
std::optional<FileId> file_id(const std::string& path);

// How many files a worker may keep open: half of what the process may open is for others.
std::size_t open_files_of(unsigned workers);

// When a file was made, where the file system knows, and written last.
struct FileTimes {
  using Stamp = std::pair<std::int64_t, std::uint32_t>;  // seconds, nanoseconds
  Stamp born{};                                          // zero: not known
  Stamp written{};

  // nullopt: there is no such file, or it may not be looked at.
  static std::optional<FileTimes> of(const std::string& path);
  bool newer_than(const FileTimes& other) const;
  // The later of both moments each; what is newer than this is newer than all that went in.
  void include(const FileTimes& other);
  bool operator==(const FileTimes&) const = default;
};

class FileInput {
 public:
  // Detects gzip by its first bytes.
  static Result<std::unique_ptr<FileInput>> open(const std::string& path);
  ~FileInput();
  FileInput(const FileInput&) = delete;
  FileInput& operator=(const FileInput&) = delete;

  const FileId& id() const { return id_; }
  bool gzip() const { return gzip_; }
  // Fills `to` unless the file ends before. In gzip, going back more than kWindow begins anew.
  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size);
  // gzip, after read_at() gave less than asked for: dead letter code when the reason is not a clean
  // end ("truncated-gzip", "bad-gzip").
  std::string_view damage() const { return damage_; }
  // Bytes on disk now.
  Result<std::uint64_t> disk_size() const;
  std::optional<FileTimes> times() const;

 private:
  static constexpr std::size_t kWindow = 64 * 1024;

  FileInput(int descriptor, FileId id) : descriptor_(descriptor), id_(id) {}
  Result<std::size_t> read_plain(std::uint64_t offset, char* to, std::size_t size) const;
  void restart();
  Status extend_window(std::uint64_t upto, std::uint64_t keep_from);

  int descriptor_;
  FileId id_;
  bool gzip_ = false;
  std::optional<GzipReader> reader_;
  std::uint64_t compressed_at_ = 0;
  std::string window_;  // the last decompressed bytes
  std::uint64_t window_start_ = 0;
  std::string_view damage_;
};

}  // namespace streamd
