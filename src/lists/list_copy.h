// SPDX-License-Identifier: Apache-2.0
// The copy of a list in the state directory, so that a restart does without the network.
#pragma once

#include "engine/core/error.h"

#include <optional>
#include <string>

namespace streamd {

// <state_dir>/lists/<name>.json
std::string list_copy_path(const std::string& state_dir, const std::string& name);
// nullopt: there is none that can be read, or it is larger than 1 GiB.
std::optional<std::string> read_list_copy(const std::string& path);
// Whole or not at all, also after a power cut.
Status write_list_copy(const std::string& path, const std::string& text);

}  // namespace streamd
