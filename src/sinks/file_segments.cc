// SPDX-License-Identifier: Apache-2.0
#include "sinks/file_segments.h"

#include "engine/core/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace {

tl::unexpected<Error> failed(const char* what, const std::string& path, int code) {
  std::string text = fmt::format("cannot {} \"{}\": {}", what, path, std::strerror(code));
  switch (code) {
    case ENOSPC:
    case EDQUOT: return fail_for_now(std::move(text), "Free some space; writing goes on then.");
    case EMFILE:
    case ENFILE:
    case EINTR: return fail_for_now(std::move(text));
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(ErrorKind::external, std::move(text),
                  "Allow writing there, or choose another path.");
    default: return fail(ErrorKind::external, std::move(text));
  }
}

// After a failed sync the kernel may have dropped the pages, and the next sync would succeed: only
// a restart from the checkpoint is safe, so this never heals by itself, not even a full disk.
tl::unexpected<Error> not_durable(const std::string& path, int code) {
  return fail(ErrorKind::external, fmt::format("cannot sync \"{}\": {}", path, std::strerror(code)),
              "Make sure that the disk is healthy and has room; the next start goes on from the "
              "last checkpoint.");
}

// Length of a regular file; nullopt when there is none.
Result<std::optional<std::uint64_t>> length_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    if (errno == ENOENT) return std::optional<std::uint64_t>{};
    return failed("look at", path, errno);
  }
  if (!S_ISREG(about.st_mode))
    return fail(ErrorKind::external, fmt::format("\"{}\" is no regular file", path),
                "The file sink needs a path of its own.");
  return std::optional<std::uint64_t>{static_cast<std::uint64_t>(about.st_size)};
}

template <class T>
bool take_number(std::string_view& text, T& into) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  if (!text.empty() && text.front() == ':') text.remove_prefix(1);
  return true;
}

}  // namespace

std::string FileSegments::Mark::print() const {
  return fmt::format("1:{}:{}:{}", segment, length, started.micros);
}

std::optional<FileSegments::Mark> FileSegments::Mark::parse(std::string_view text) {
  Mark mark;
  if (!text.starts_with("1:")) return std::nullopt;
  text.remove_prefix(2);
  if (!take_number(text, mark.segment) || !take_number(text, mark.length) ||
      !take_number(text, mark.started.micros) || !text.empty() || mark.segment == 0)
    return std::nullopt;
  return mark;
}

FileSegments::~FileSegments() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string FileSegments::rotated_name(std::uint64_t segment) const {
  return fmt::format("{}.{:06}", path_, segment);
}

Result<FileSegments::Mark> FileSegments::existing(EventTime now) const {
  Mark mark;
  mark.started = now;
  auto length = length_of(path_);
  if (!length) return tl::unexpected(std::move(length).error());
  mark.length = length->value_or(0);
  const std::string prefix = std::filesystem::path(path_).filename().string() + ".";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(path_), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || name.size() < prefix.size() + 6) continue;
    std::uint64_t segment = 0;
    std::string_view digits = std::string_view(name).substr(prefix.size());
    if (take_number(digits, segment) && digits.empty() && segment >= mark.segment)
      mark.segment = segment + 1;
  }
  return mark;
}

int FileSegments::open_to_read(std::uint64_t segment) const {
  const int file = ::open(rotated_name(segment).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  return file >= 0 ? file : ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

bool FileSegments::ends_line(const Mark& mark) const {
  if (mark.length == 0) return true;
  const int file = open_to_read(mark.segment);
  if (file < 0) return true;
  char last = '\n';
  const bool read = ::pread(file, &last, 1, static_cast<off_t>(mark.length - 1)) == 1;
  ::close(file);
  return !read || last == '\n';
}

std::optional<std::string> FileSegments::beginning(const Mark& mark, std::size_t most) const {
  const int file = open_to_read(mark.segment);
  if (file < 0) return std::nullopt;
  std::string bytes(std::min<std::uint64_t>(most, mark.length), '\0');
  const bool read =
      ::pread(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  ::close(file);
  if (!read) return std::nullopt;
  return bytes;
}

Status FileSegments::open_current() {
  if (const auto problem = make_folders(folder_of(path_)))
    return failed("make folder", folder_of(path_), problem.value());
  const bool is_new = ::access(path_.c_str(), F_OK) != 0;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) return failed("open", path_, errno);
  if (::lseek(descriptor_, 0, SEEK_END) < 0) return failed("write to", path_, errno);
  if (is_new) return sync_names();
  return {};
}

Status FileSegments::restore(const Mark& mark) {
  const std::string rotated = rotated_name(mark.segment);
  auto later = length_of(rotated);
  if (!later) return tl::unexpected(std::move(later).error());
  auto length = *later ? later : length_of(path_);
  if (!length) return tl::unexpected(std::move(length).error());
  if (length->value_or(0) < mark.length)
    return fail(ErrorKind::state,
                fmt::format("\"{}\" holds {} bytes, but {} were written up to the last checkpoint",
                            path_, length->value_or(0), mark.length),
                "Put the file back, or start with --fresh to begin a new output.");
  if (*later) {
    // Rotated after the checkpoint: it becomes the current one again, its successors go.
    for (std::uint64_t s = mark.segment + 1; ::unlink(rotated_name(s).c_str()) == 0; ++s) {
    }
    if (::rename(rotated.c_str(), path_.c_str()) != 0) return failed("rename", rotated, errno);
  }
  STREAMD_TRY(open_current());
  if (::ftruncate(descriptor_, static_cast<off_t>(mark.length)) != 0)
    return failed("cut", path_, errno);
  if (::lseek(descriptor_, 0, SEEK_END) < 0) return failed("write to", path_, errno);
  open_segment_ = mark.segment;
  end_ = mark;
  dirty_ = true;
  STREAMD_TRY(sync());
  return sync_names();
}

void FileSegments::put(std::string_view bytes) {
  pending_ += bytes;
  end_.length += bytes.size();
}

void FileSegments::rotate(EventTime now) {
  cuts_.push_back(pending_.size());
  ++end_.segment;
  end_.length = 0;
  end_.started = now;
}

void FileSegments::remove_before(const Mark& mark, std::uint64_t keep) {
  if (mark.segment <= keep + 1) return;
  const std::uint64_t first = mark.segment - keep;  // the oldest that stays
  // Downwards until one is missing: an earlier run may have kept more.
  for (std::uint64_t s = first - 1; s > 0 && s >= kept_from_; --s)
    if (::unlink(rotated_name(s).c_str()) != 0) break;
  kept_from_ = first;
}

Status FileSegments::flush() {
  while (!cuts_.empty()) {
    STREAMD_TRY(write_until(cuts_.front()));
    STREAMD_TRY(finish_segment());
  }
  return write_until(pending_.size());
}

Status FileSegments::write_until(std::size_t end) {
  if (descriptor_ < 0) STREAMD_TRY(open_current());
  std::size_t done = 0;
  int code = 0;
  while (done < end) {
    const ssize_t wrote = ::write(descriptor_, pending_.data() + done, end - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      code = wrote < 0 ? errno : ENOSPC;
      break;
    }
    done += static_cast<std::size_t>(wrote);
  }
  dirty_ = dirty_ || done > 0;
  pending_.erase(0, done);
  for (std::size_t& cut : cuts_) cut -= done;
  if (code != 0) return failed("write to", path_, code);
  return {};
}

Status FileSegments::finish_segment() {
  if (descriptor_ >= 0) {
    STREAMD_TRY(sync_data());
    ::close(descriptor_);
    descriptor_ = -1;
    dirty_ = false;
  }
  const std::string rotated = rotated_name(open_segment_);
  if (::rename(path_.c_str(), rotated.c_str()) != 0) return failed("rename", path_, errno);
  // From here on the rotation is done; write_until() opens the next segment, as often as it takes.
  ++open_segment_;
  cuts_.erase(cuts_.begin());
  return {};
}

Status FileSegments::sync() {
  STREAMD_TRY(flush());
  if (!dirty_) return {};
  STREAMD_TRY(sync_data());
  dirty_ = false;
  return {};
}

Status FileSegments::sync_data() const {
  if (::fdatasync(descriptor_) != 0) return not_durable(path_, errno);
  struct stat about {};
  if (::fstat(descriptor_, &about) == 0 && about.st_nlink == 0)
    return fail(
        ErrorKind::state,
        fmt::format("\"{}\" was deleted while it was written, with all that stood in it", path_),
        "To begin a new one start with --reset-state and the name of the sink.");
  return {};
}

Status FileSegments::sync_names() const {
  const std::string folder = folder_of(path_);
  if (const auto problem = sync_folder(folder)) return not_durable(folder, problem.value());
  return {};
}

}  // namespace streamd
