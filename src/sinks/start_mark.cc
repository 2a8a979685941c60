// SPDX-License-Identifier: Apache-2.0
#include "sinks/start_mark.h"

#include "engine/core/hash.h"
#include "engine/core/whole_file.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <unistd.h>

namespace streamd {
namespace {

// With a checksum: a flipped byte would else make it the mark of another output, or another mark.
std::string content(const std::string& text, const std::string& path) {
  const std::string lines = text + "\n" + path + "\n";
  return fmt::format("{}{:016x}\n", lines, hash_bytes(lines, 0));
}

}  // namespace

StartMark::StartMark(const std::string& state_dir, const std::string& node) {
  if (!state_dir.empty()) file_ = state_dir + "/file-sink-" + node + ".start";
}

Result<std::optional<std::string>> StartMark::load(const std::string& path) const {
  std::ifstream in(file_, std::ios::binary);
  if (file_.empty() || !in) return std::optional<std::string>{};
  const std::string all(std::istreambuf_iterator<char>(in), {});
  std::istringstream lines(all);
  std::string text, stored_path;
  std::getline(lines, text);
  std::getline(lines, stored_path);
  if (all != content(text, stored_path))
    return fail(
        ErrorKind::state, fmt::format("\"{}\" is damaged", file_),
        "The output may hold records of a first attempt, which would be written again: take "
        "it away, and start anew with --fresh.");
  if (stored_path != path) return std::optional<std::string>{};
  return std::optional<std::string>{text};
}

Status StartMark::store(const std::string& path, const std::string& text) {
  if (file_.empty()) return {};
  if (const auto problem = replace_file(file_, content(text, path)))
    return fail(ErrorKind::state, fmt::format("cannot write \"{}\": {}", file_, problem.message()),
                "Make sure that the state folder is writable and the disk healthy and not full.");
  may_exist_ = true;
  return {};
}

void StartMark::remove() {
  if (!may_exist_ || file_.empty()) return;
  ::unlink(file_.c_str());
  may_exist_ = false;
}

}  // namespace streamd
