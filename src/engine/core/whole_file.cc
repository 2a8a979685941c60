// SPDX-License-Identifier: Apache-2.0
#include "engine/core/whole_file.h"

#include "engine/core/folder.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace streamd {
namespace {

constexpr std::size_t kLargest = std::size_t{1} << 30;

// 0, or what went wrong.
int write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(file, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return wrote < 0 ? errno : ENOSPC;
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

std::error_code replace_file(const std::string& path, std::string_view content, unsigned mode) {
  const auto error = [](int code) { return std::error_code(code, std::generic_category()); };
  const std::string folder = folder_of(path), fresh = path + ".new";
  if (const auto problem = make_folders(folder)) return problem;
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) return error(errno);
  const int code = write_all(file, content);
  ::close(file);
  if (code != 0) return error(code);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return error(errno);
  return sync_folder(folder);
}

std::optional<std::string> read_whole_file(const std::string& path) {
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

}  // namespace streamd
