// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/refused_letters.h"

#include "engine/core/folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace {

tl::unexpected<Error> cannot(const char* what, const std::string& path, int problem) {
  return fail(
      ErrorKind::external,
      fmt::format("a dead letter that its sink refuses cannot be kept: cannot {} {}: {}", what,
                  path, std::generic_category().message(problem)),
      "free space there, or let dead_letters name a sink that takes anything, such as file");
}

}  // namespace

RefusedLetters::RefusedLetters(std::string folder)
    : folder_(std::move(folder)), path_(path_in(folder_)) {}

RefusedLetters::~RefusedLetters() {
  if (file_ >= 0) ::close(file_);
}

std::string RefusedLetters::path_in(const std::string& folder) {
  return folder + "/refused.ndjson";
}

Status RefusedLetters::open() {
  if (const auto problem = make_folders(folder_)) return cannot("make", folder_, problem.value());
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) return cannot("open", path_, errno);
  if (const auto problem = sync_folder(folder_)) return cannot("sync", folder_, problem.value());
  return {};
}

Result<bool> RefusedLetters::add(std::string_view letter) {
  const std::string line = std::string(letter) + "\n";
  const std::lock_guard lock(mutex_);
  const bool first = file_ < 0;
  if (first) STREAMD_TRY(open());
  for (std::size_t at = 0; at < line.size();) {
    const auto written = ::write(file_, line.data() + at, line.size() - at);
    if (written < 0 && errno != EINTR) return cannot("write", path_, errno);
    if (written > 0) at += static_cast<std::size_t>(written);
  }
  if (::fdatasync(file_) != 0) return cannot("sync", path_, errno);
  return first;
}

}  // namespace streamd
