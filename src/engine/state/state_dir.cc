// SPDX-License-Identifier: Apache-2.0
#include "engine/state/state_dir.h"

#include "engine/core/folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/file.h>
#include <unistd.h>

namespace streamd {
namespace fs = std::filesystem;
namespace {

constexpr const char* kNote = "/EPOCH";

std::string stamp(EventTime wall) {
  const std::time_t seconds = wall.micros / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

tl::unexpected<Error> folder_error(const std::string& path, const std::string& why) {
  return fail(ErrorKind::state, fmt::format("state folder {}: {}", path, why),
              "choose a writable folder with --state-dir or $STREAMD_STATE_DIR");
}

Result<int> lock_folder(const std::string& path) {
  const std::string file = path + "/LOCK";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return folder_error(path, std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    const auto n = ::read(fd, owner, sizeof owner - 1);
    ::close(fd);
    return fail(
        ErrorKind::state,
        fmt::format("state folder {} is locked by process {}", path, n > 0 ? owner : "(unknown)"),
        "stop that process, or give this one another --state-dir");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    const std::string why = std::strerror(errno);
    ::close(fd);
    return folder_error(path, why);
  }
  return fd;
}

}  // namespace

Result<StateDir> StateDir::open(const std::string& root, const std::string& pipeline, bool fresh,
                                const Clock& clock) {
  const std::string path = root + "/" + pipeline;
  if (const auto problem = make_folders(path)) return folder_error(path, problem.message());
  auto lock = lock_folder(path);
  if (!lock) return tl::unexpected(std::move(lock).error());
  StateDir dir(path, *lock);
  if (!fresh || !(fs::exists(dir.db()) || fs::exists(path + kNote))) return dir;

  // The lock is held on the old folder while it moves away; then the new one is locked.
  std::string archive = fmt::format("{}.archived-{}", path, stamp(clock.wall()));
  for (int n = 2; fs::exists(archive); ++n)
    archive = fmt::format("{}.archived-{}-{}", path, stamp(clock.wall()), n);
  std::error_code error;
  fs::rename(path, archive, error);
  if (error) return folder_error(path, "cannot be archived: " + error.message());
  auto anew = open(root, pipeline, false, clock);
  if (anew) anew->archived_to_ = archive;
  return anew;
}

StateDir::StateDir(StateDir&& other) noexcept
    : path_(std::move(other.path_)),
      archived_to_(std::move(other.archived_to_)),
      lock_(other.lock_),
      note_(other.note_) {
  other.lock_ = other.note_ = -1;
}

std::optional<Epoch> StateDir::noted_epoch() const {
  std::ifstream in(path_ + kNote);
  std::string first, second;
  if (!(in >> first >> second) || first != second) return std::nullopt;
  Epoch epoch = 0;
  for (const char c : first) {
    if (c < '0' || c > '9' || epoch > 1'000'000'000'000'000) return std::nullopt;
    epoch = epoch * 10 + static_cast<Epoch>(c - '0');
  }
  return epoch;
}

// One write of always the same length: a process that is killed leaves the old or the new note.
void StateDir::note_epoch(Epoch epoch) {
  if (note_ < 0) note_ = ::open((path_ + kNote).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  const std::string text = fmt::format("{0:016} {0:016}\n", epoch);
  if (note_ >= 0 && ::pwrite(note_, text.data(), text.size(), 0) < 0) {
    ::close(note_);
    note_ = -1;
  }
}

StateDir::~StateDir() {
  if (note_ >= 0) ::close(note_);
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace streamd
