// SPDX-License-Identifier: Apache-2.0
#include "sources/file_input.h"

#include "engine/core/descriptors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace streamd {
namespace {

tl::unexpected<Error> cannot_open(const std::string& path, int code) {
  std::string text = fmt::format("cannot open \"{}\": {}", path, std::strerror(code));
  if (code == EACCES || code == EPERM)
    return fail(ErrorKind::external, std::move(text),
                "Give the user that runs streamd read access.");
  if (code == EMFILE || code == ENFILE)
    return fail_for_now(std::move(text), "Raise the limit of open files (ulimit -n).");
  return fail(ErrorKind::external, std::move(text), "Check the path.");
}

std::optional<FileTimes> times_of(int folder, const char* path, int flags) {
  struct statx found {};
  if (::statx(folder, path, flags, STATX_MTIME | STATX_BTIME, &found) != 0) return std::nullopt;
  FileTimes times;
  if ((found.stx_mask & STATX_BTIME) != 0)
    times.born = {found.stx_btime.tv_sec, found.stx_btime.tv_nsec};
  times.written = {found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec};
  return times;
}

}  // namespace

std::optional<FileTimes> FileTimes::of(const std::string& path) {
  return times_of(AT_FDCWD, path.c_str(), 0);
}

// Some writers go on for a while in a file that was rotated: being written later is not enough.
bool FileTimes::newer_than(const FileTimes& other) const {
  const bool older = born.first != 0 && other.born.first != 0 && born < other.born;
  return written > other.written && !older;
}

void FileTimes::include(const FileTimes& other) {
  born = std::max(born, other.born);
  written = std::max(written, other.written);
}

std::optional<FileId> file_id(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  return FileId{about.st_dev, about.st_ino};
}

std::size_t open_files_of(unsigned workers) {
  return std::max<std::size_t>(descriptor_limit() / 2 / workers, 1);
}

Result<std::unique_ptr<FileInput>> FileInput::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return cannot_open(path, errno);
  struct stat about {};
  const bool known = ::fstat(descriptor, &about) == 0;
  std::unique_ptr<FileInput> file(new FileInput(descriptor, {about.st_dev, about.st_ino}));
  if (!known || !S_ISREG(about.st_mode))
    return fail(ErrorKind::external, fmt::format("\"{}\" is no regular file", path),
                "Use the stdin source for pipes.");
  char head[4];
  auto got = file->read_plain(0, head, sizeof head);
  if (!got) return tl::unexpected(std::move(got).error());
  file->gzip_ = looks_like_gzip(head, *got);
  if (file->gzip_) file->restart();
  return file;
}

FileInput::~FileInput() { ::close(descriptor_); }

Result<std::uint64_t> FileInput::disk_size() const {
  struct stat about {};
  if (::fstat(descriptor_, &about) != 0)
    return fail(ErrorKind::external,
                fmt::format("cannot look at a file: {}", std::strerror(errno)));
  return static_cast<std::uint64_t>(about.st_size);
}

std::optional<FileTimes> FileInput::times() const {
  return times_of(descriptor_, "", AT_EMPTY_PATH);
}

Result<std::size_t> FileInput::read_plain(std::uint64_t offset, char* to, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(descriptor_, to + done, size - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail_for_now(fmt::format("cannot read a file: {}", std::strerror(errno)));
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void FileInput::restart() {
  compressed_at_ = 0;
  window_.clear();
  window_start_ = 0;
  reader_.emplace([this](char* to, std::size_t capacity) -> Result<std::size_t> {
    auto got = read_plain(compressed_at_, to, capacity);
    if (got) compressed_at_ += *got;
    return got;
  });
}

Result<std::size_t> FileInput::read_at(std::uint64_t offset, char* to, std::size_t size) {
  if (!gzip_) return read_plain(offset, to, size);
  if (offset < window_start_) restart();
  STREAMD_TRY(extend_window(offset + size, offset > kWindow ? offset - kWindow : 0));
  const std::uint64_t end = window_start_ + window_.size();
  if (offset >= end) return 0;
  const std::size_t have = std::min<std::uint64_t>(size, end - offset);
  std::memcpy(to, window_.data() + (offset - window_start_), have);
  return have;
}

Status FileInput::extend_window(std::uint64_t upto, std::uint64_t keep_from) {
  constexpr std::size_t kStep = 64 * 1024;
  damage_ = {};
  while (window_start_ + window_.size() < upto) {
    if (keep_from > window_start_ + 4 * kStep) {
      const auto old = std::min<std::uint64_t>(keep_from - window_start_, window_.size());
      window_.erase(0, old);
      window_start_ += old;
    }
    const std::size_t before = window_.size();
    window_.resize(before + kStep);
    auto got = reader_->read(window_.data() + before, kStep);
    window_.resize(before + (got ? *got : 0));
    if (!got) {
      if (got.error().kind != ErrorKind::data) return tl::unexpected(std::move(got).error());
      damage_ = got.error().message.starts_with("truncated") ? "truncated-gzip" : "bad-gzip";
      return {};
    }
    if (*got == 0) return {};
  }
  return {};
}

}  // namespace streamd
