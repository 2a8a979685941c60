// SPDX-License-Identifier: Apache-2.0
#include "lists/list_copy.h"

#include "engine/core/folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace streamd {
namespace {

constexpr std::size_t kLargest = std::size_t{1} << 30;

bool write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(file, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return ::fsync(file) == 0;
}

}  // namespace

std::string list_copy_path(const std::string& state_dir, const std::string& name) {
  return state_dir + "/lists/" + name + ".json";
}

std::optional<std::string> read_list_copy(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string text;
  ssize_t got = 0;
  char block[64 * 1024];
  while ((got = ::read(file, block, sizeof block)) > 0 && text.size() <= kLargest)
    text.append(block, static_cast<std::size_t>(got));
  ::close(file);
  if (got != 0) return std::nullopt;
  return text;
}

Status write_list_copy(const std::string& path, const std::string& text) {
  const std::string folder = folder_of(path), fresh = path + ".new";
  const auto failed = [&] {
    return fail_for_now(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  };
  if (const auto error = make_folders(folder))
    return fail_for_now(fmt::format("cannot make {}: {}", folder, error.message()));
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return failed();
  const bool written = write_all(file, text);
  const int why = errno;
  ::close(file);
  errno = why;
  if (!written || std::rename(fresh.c_str(), path.c_str()) != 0) return failed();
  if (const auto error = sync_folder(folder))
    return fail_for_now(fmt::format("cannot write {}: {}", path, error.message()));
  return {};
}

}  // namespace streamd
