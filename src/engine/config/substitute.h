// SPDX-License-Identifier: Apache-2.0
// ${VAR}, ${VAR:-default} and ${file:/path} inside one parsed scalar; $$ is a dollar sign. Any
// other dollar sign stays as it is. A default may hold all of these itself: ${A:-${B:-c}}. What is
// put in is never parsed again: not as YAML and not for variables.
#pragma once

#include "engine/core/error.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// Where values come from. Both are set, or none (then see parse_yaml); tests hand in maps.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<Result<std::string>(const std::string& path)> file;
};

// The process's environment and file system. Files of more than 64 KiB are refused.
Surroundings process_surroundings();

struct Substituted {
  std::string text;
  bool changed = false;  // a ${…} took part: the text may be a secret
};

// An error names the variable or file, never a value. As with a shell's `:-`, the default also
// counts when the variable is empty. One line end at the end of a file is removed.
Result<Substituted> substitute(std::string_view text, const Surroundings& surroundings);

}  // namespace streamd
