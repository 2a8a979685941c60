// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/outbox.h"

#include "engine/core/folder.h"
#include "engine/core/hash.h"
#include "engine/io/delivery/disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace streamd::delivery {
namespace {

constexpr std::string_view kStateVersion = "1:";
constexpr std::string_view kSuffix = ".outbox";

std::optional<std::uint64_t> number_of(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Outbox::~Outbox() {
  for (const auto& segment : segments_)
    if (segment.file >= 0) ::close(segment.file);
  if (sent_ >= 0) ::close(sent_);
}

tl::unexpected<Error> Outbox::damaged(const std::string& what) const {
  return fail(ErrorKind::state,
              fmt::format("the outbox in \"{}\" is damaged: {}", options_.folder, what),
              "Restore the whole state folder from a backup, or start anew with --fresh (keeps the "
              "damaged one in an archive folder).");
}

std::string Outbox::name_of(std::uint64_t begin) const {
  return fmt::format("{}/{:016x}{}", options_.folder, begin, kSuffix);
}

std::string Outbox::state() const { return fmt::format("{}{}", kStateVersion, end_); }

Result<std::unique_ptr<Outbox>> Outbox::open(OutboxOptions options, std::string_view restored) {
  std::unique_ptr<Outbox> box(new Outbox(std::move(options)));
  if (const auto problem = make_folders(box->options_.folder))
    return disk_error("make folder", box->options_.folder, problem.value());
  if (restored.empty()) {
    STREAMD_TRY(box->give_up_all());
    STREAMD_TRY(box->restore(0));
    return box;
  }
  const auto end = restored.starts_with(kStateVersion)
                       ? number_of(restored.substr(kStateVersion.size()), 10)
                       : std::nullopt;
  if (!end)
    return fail(ErrorKind::state,
                fmt::format("the stored end of the outbox cannot be read: {}", restored),
                "It was written by a newer version, or is damaged.");
  STREAMD_TRY(box->find_segments());
  STREAMD_TRY(box->restore(*end));
  return box;
}

Status Outbox::give_up_all() {
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, problem)) {
    std::error_code ignored;
    std::filesystem::remove(entry.path(), ignored);
  }
  if (problem) return disk_error("list", options_.folder, problem.value());
  return {};
}

Status Outbox::find_segments() {
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, problem)) {
    const std::string name = entry.path().filename().string();
    if (!std::string_view(name).ends_with(kSuffix)) continue;
    const auto begin =
        number_of(std::string_view(name).substr(0, name.size() - kSuffix.size()), 16);
    if (!begin) continue;
    Segment segment;
    segment.begin = *begin;
    segment.file = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
    struct stat about {};
    if (segment.file < 0 || ::fstat(segment.file, &about) != 0)
      return disk_error("open", entry.path().string(), errno);
    segment.end = segment.begin + static_cast<std::uint64_t>(about.st_size);
    segments_.push_back(segment);
  }
  if (problem) return disk_error("list", options_.folder, problem.value());
  std::sort(segments_.begin(), segments_.end(),
            [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return {};
}

// Cuts off what no epoch knows, and sees that everything between `sent` and the end is there.
Status Outbox::restore(std::uint64_t end) {
  end_ = committed_ = end;
  while (!segments_.empty() && segments_.back().begin >= end) {
    ::close(segments_.back().file);
    if (::unlink(name_of(segments_.back().begin).c_str()) != 0)
      return disk_error("delete", name_of(segments_.back().begin), errno);
    segments_.pop_back();
  }
  if (!segments_.empty() && segments_.back().end > end) {
    if (::ftruncate(segments_.back().file, static_cast<off_t>(end - segments_.back().begin)) != 0)
      return disk_error("cut", name_of(segments_.back().begin), errno);
    segments_.back().end = end;
    segments_.back().dirty = true;
  }
  const std::string path = options_.folder + "/sent";
  sent_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (sent_ < 0) return disk_error("open", path, errno);
  const auto sent = read_sent();
  if (!sent) return tl::unexpected(sent.error());
  begin_ = std::min(*sent, end);
  std::uint64_t there = segments_.empty() ? end : segments_.front().begin;
  if (there > begin_) return damaged(fmt::format("bytes {} to {} are missing", begin_, there));
  for (const auto& segment : segments_) {
    if (segment.begin != there)
      return damaged(fmt::format("bytes {} to {} are missing", there, segment.begin));
    there = segment.end;
  }
  if (there < end) return damaged(fmt::format("bytes {} to {} are missing", there, end));
  new_names_ = true;
  STREAMD_TRY(write_sent());
  if (::fsync(sent_) != 0) return not_durable(path, errno);
  return finished(begin_);
}

// Two slots, written in turn, so that one is whole at any moment.
Result<std::uint64_t> Outbox::read_sent() {
  std::uint64_t found = 0;
  for (unsigned slot = 0; slot < 2; ++slot) {
    std::uint64_t entry[2] = {0, 0};
    const auto got = ::pread(sent_, entry, sizeof entry, static_cast<off_t>(slot * sizeof entry));
    if (got < 0) return disk_error("read", options_.folder + "/sent", errno);
    if (got != sizeof entry) continue;
    const std::string_view number(reinterpret_cast<const char*>(entry), sizeof entry[0]);
    if (hash_bytes(number, slot) == entry[1]) found = std::max(found, entry[0]);
  }
  return found;
}

Status Outbox::write_sent() {
  std::uint64_t entry[2] = {std::min(begin_, committed_), 0};
  entry[1] = hash_bytes({reinterpret_cast<const char*>(entry), sizeof entry[0]}, sent_slot_);
  const auto wrote =
      ::pwrite(sent_, entry, sizeof entry, static_cast<off_t>(sent_slot_ * sizeof entry));
  if (wrote != sizeof entry)
    return disk_error("write", options_.folder + "/sent", wrote < 0 ? errno : ENOSPC);
  written_down_ = entry[0];
  sent_slot_ ^= 1;
  return {};
}

bool Outbox::has_room(std::uint64_t bytes) const {
  return begin_ == end_ || end_ - begin_ + bytes <= options_.limit;
}

Status Outbox::open_segment() {
  Segment segment;
  segment.begin = segment.end = end_;
  segment.file = ::open(name_of(end_).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (segment.file < 0) return disk_error("make", name_of(end_), errno);
  segments_.push_back(segment);
  new_names_ = true;
  return {};
}

Status Outbox::append(std::string_view frames) {
  if (frames.empty()) return {};
  if (segments_.empty() || segments_.back().end - segments_.back().begin >= options_.segment)
    STREAMD_TRY(open_segment());
  Segment& segment = segments_.back();
  std::uint64_t at = segment.end - segment.begin;
  for (std::string_view left = frames; !left.empty();) {
    const auto wrote = ::pwrite(segment.file, left.data(), left.size(), static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return disk_error("write", name_of(segment.begin), wrote < 0 ? errno : ENOSPC);
    left.remove_prefix(static_cast<std::size_t>(wrote));
    at += static_cast<std::uint64_t>(wrote);
  }
  segment.dirty = true;
  end_ += frames.size();
  segment.end = end_;
  return {};
}

Result<Outbox::Unsynced> Outbox::begin_sync() {
  Unsynced work;
  work.folder = options_.folder;
  work.names = std::exchange(new_names_, false);
  for (auto& segment : segments_) {
    if (!std::exchange(segment.dirty, false)) continue;
    const int file = ::dup(segment.file);
    if (file < 0) {
      for (const int opened : work.files) ::close(opened);
      return disk_error("sync", name_of(segment.begin), errno);
    }
    work.files.push_back(file);
  }
  return work;
}

Status Outbox::sync(Unsynced work) {
  int problem = 0;
  for (const int file : work.files) {
    if (problem == 0 && ::fdatasync(file) != 0) problem = errno;
    ::close(file);
  }
  if (problem == 0 && work.names)
    if (const auto failed = sync_folder(work.folder)) problem = failed.value();
  if (problem != 0) return not_durable(work.folder, problem);
  return {};
}

Status Outbox::committed(std::uint64_t end) {
  committed_ = std::max(committed_, end);
  return finished(begin_);
}

Result<std::vector<Item>> Outbox::read(std::uint64_t place, std::uint64_t until, std::size_t items,
                                       std::size_t bytes) const {
  std::vector<Item> found;
  auto segment = std::find_if(segments_.begin(), segments_.end(),
                              [&](const Segment& s) { return place < s.end; });
  std::size_t wanted = std::max<std::size_t>(bytes, kFrameHead);
  while (segment != segments_.end() && place < until && found.size() < items) {
    auto chunk = std::make_shared<std::string>();
    chunk->resize(std::min<std::uint64_t>(wanted, segment->end - place));
    for (std::size_t done = 0; done < chunk->size();) {
      const auto got = ::pread(segment->file, chunk->data() + done, chunk->size() - done,
                               static_cast<off_t>(place - segment->begin + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return disk_error("read", name_of(segment->begin), errno);
      if (got == 0) return damaged(fmt::format("\"{}\" is too short", name_of(segment->begin)));
      done += static_cast<std::size_t>(got);
    }
    std::string_view left = *chunk;
    while (place < until && found.size() < items) {
      Item item;
      const Frame frame = read_frame(left, place, item);
      if (frame == Frame::damaged || (frame == Frame::cut && item.end > segment->end))
        return damaged(fmt::format("the record at {} of \"{}\"", place - segment->begin,
                                   name_of(segment->begin)));
      if (frame == Frame::cut) {
        if (!found.empty()) return found;
        wanted = std::max<std::size_t>(item.end - place, kFrameHead + left.size());
        break;
      }
      left.remove_prefix(item.end - place);
      place = item.end;
      item.chunk = chunk;
      found.push_back(std::move(item));
      if (left.empty()) break;
    }
    if (!found.empty()) return found;
    if (place >= segment->end) ++segment;
  }
  return found;
}

Status Outbox::finished(std::uint64_t place) {
  begin_ = std::max(begin_, place);
  const std::uint64_t over = std::min(begin_, committed_);
  if (over != written_down_) {
    STREAMD_TRY(write_sent());
    if (options_.sync_sent && ::fdatasync(sent_) != 0)
      return not_durable(options_.folder + "/sent", errno);
  }
  while (!segments_.empty() && segments_.front().end <= over &&
         (segments_.size() > 1 ||
          segments_.front().end - segments_.front().begin >= options_.segment)) {
    // A file that is gone must not be asked for by an older `sent` after a power cut.
    if (::fdatasync(sent_) != 0) return not_durable(options_.folder + "/sent", errno);
    ::close(segments_.front().file);
    if (::unlink(name_of(segments_.front().begin).c_str()) != 0)
      return disk_error("delete", name_of(segments_.front().begin), errno);
    segments_.pop_front();
  }
  return {};
}

}  // namespace streamd::delivery
