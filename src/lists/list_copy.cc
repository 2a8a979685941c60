// SPDX-License-Identifier: Apache-2.0
#include "lists/list_copy.h"

#include "engine/core/whole_file.h"

#include <fmt/format.h>

namespace streamd {

std::string list_copy_path(const std::string& state_dir, const std::string& name) {
  return state_dir + "/lists/" + name + ".json";
}

std::optional<std::string> read_list_copy(const std::string& path) { return read_whole_file(path); }

Status write_list_copy(const std::string& path, const std::string& text) {
  if (const auto error = replace_file(path, text, 0640))
    return fail_for_now(fmt::format("cannot write {}: {}", path, error.message()));
  return {};
}

}  // namespace streamd
