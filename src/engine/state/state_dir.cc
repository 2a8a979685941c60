// SPDX-License-Identifier: Apache-2.0
#include "engine/state/state_dir.h"

#include "engine/core/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace fs = std::filesystem;
namespace {

constexpr const char* kNote = "/EPOCH";
constexpr const char* kMembers = "PIPELINES";
constexpr const char* kArchived = ".archived-";

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

// Makes the folder when it is missing.
Result<int> lock_folder(const std::string& path) {
  if (const auto problem = make_folders(path)) return folder_error(path, problem.message());
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

bool holds_state(const std::string& path) {
  return fs::exists(path + "/db") || fs::exists(path + kNote);
}

// Whose state is in a folder.
std::set<std::string> members_of(const fs::path& folder) {
  std::ifstream in(folder / kMembers);
  std::set<std::string> names;
  for (std::string name; std::getline(in, name);) names.insert(name);
  if (names.empty()) names.insert(folder.filename().string());
  return names;
}

// Folders other than `own` with state of one of the members.
std::vector<std::string> other_homes(const std::string& root, const std::string& own,
                                     const std::vector<std::string>& members) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    if (name == own || name.find(kArchived) != std::string::npos) continue;
    const auto there = members_of(entry.path());
    const bool shared = std::any_of(members.begin(), members.end(),
                                    [&](const auto& member) { return there.count(member) > 0; });
    if (shared && holds_state(entry.path().string())) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

tl::unexpected<Error> state_elsewhere(const std::string& pipeline, const std::string& home) {
  const auto there = members_of(home);
  return fail(
      ErrorKind::state,
      fmt::format("{} has no state yet, but {} has: it ran {}", pipeline, home,
                  there.size() == 1 ? "alone" : "together with others"),
      fmt::format("pipelines that share a source share a checkpoint: run {} again to go "
                  "on with that state, or use --fresh to begin anew (what is there is archived)",
                  fmt::join(there, ", ")));
}

Status write_members(const std::string& path, const std::vector<std::string>& members) {
  if (members.size() < 2) return {};
  std::ofstream out(path + "/" + kMembers);
  for (const auto& member : members) out << member << '\n';
  out.close();
  if (!out) return folder_error(path, std::strerror(errno));
  return {};
}

}  // namespace

Result<StateDir> StateDir::open(const std::string& root, const std::string& pipeline, bool fresh,
                                const Clock& clock, const std::vector<std::string>& members) {
  const std::string path = root + "/" + pipeline;
  auto lock = lock_folder(path);
  if (!lock) return tl::unexpected(std::move(lock).error());
  StateDir dir(path, *lock);
  if (fresh && holds_state(path)) {
    STREAMD_TRY(dir.put_aside(path, clock));
    // The old folder's lock goes with it.
    auto anew = lock_folder(path);
    if (!anew) return tl::unexpected(std::move(anew).error());
    ::close(std::exchange(dir.lock_, *anew));
  }
  const auto others =
      other_homes(root, pipeline, members.empty() ? std::vector{pipeline} : members);
  if (fresh) {
    for (const auto& home : others) {
      auto held = lock_folder(home);
      if (!held) return tl::unexpected(std::move(held).error());
      const auto status = dir.put_aside(home, clock);
      ::close(*held);
      if (!status) return tl::unexpected(status.error());
    }
  } else if (!others.empty() && !holds_state(path)) {
    return state_elsewhere(pipeline, others.front());
  }
  STREAMD_TRY(write_members(path, members));
  return dir;
}

// Its lock is held meanwhile.
Status StateDir::put_aside(const std::string& folder, const Clock& clock) {
  const std::string stem = folder + kArchived + stamp(clock.wall());
  std::string to = stem;
  for (int n = 2; fs::exists(to); ++n) to = fmt::format("{}-{}", stem, n);
  std::error_code error;
  fs::rename(folder, to, error);
  if (error) return folder_error(folder, "cannot be archived: " + error.message());
  archived_to_.push_back(std::move(to));
  return {};
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
