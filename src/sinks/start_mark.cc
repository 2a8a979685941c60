// SPDX-License-Identifier: Apache-2.0
#include "sinks/start_mark.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace streamd {

StartMark::StartMark(const std::string& state_dir, const std::string& node) {
  if (!state_dir.empty()) file_ = state_dir + "/file-sink-" + node + ".start";
}

std::optional<std::string> StartMark::load(const std::string& path) const {
  std::ifstream in(file_, std::ios::binary);
  std::string text, stored_path;
  if (file_.empty() || !std::getline(in, text) || !std::getline(in, stored_path))
    return std::nullopt;
  if (stored_path != path) return std::nullopt;
  return text;
}

Status StartMark::store(const std::string& path, const std::string& text) {
  if (file_.empty()) return {};
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), ignored);
  const std::string content = text + "\n" + path + "\n";
  const std::string fresh = file_ + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool good =
      descriptor >= 0 &&
      ::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(descriptor) == 0;
  const int code = errno;
  if (descriptor >= 0) ::close(descriptor);
  good = good && ::rename(fresh.c_str(), file_.c_str()) == 0;
  if (!good)
    return fail(ErrorKind::state,
                fmt::format("cannot write \"{}\": {}", file_, std::strerror(code)));
  may_exist_ = true;
  return {};
}

void StartMark::remove() {
  if (!may_exist_ || file_.empty()) return;
  ::unlink(file_.c_str());
  may_exist_ = false;
}

}  // namespace streamd
