// SPDX-License-Identifier: Apache-2.0
// YAML text -> ConfigNode. Every node keeps its place; duplicate keys are errors; anchors, aliases
// and merge keys (<<) work; variables are put in after parsing, scalar by scalar.
#pragma once

#include "engine/api/config_node.h"
#include "engine/config/substitute.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace streamd {

// What a pipeline file may be. More is refused with a message.
inline constexpr std::size_t kMaxYamlBytes = 1 << 20;
inline constexpr std::size_t kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlNodes = 100'000;  // aliases written out

// `surroundings` without functions: texts stay as they are written, whatever dollar signs they
// have. `file` goes into every Place. Reports every problem it finds; returns what could be read so
// that later steps can report theirs, and nullopt only when there is no usable tree (syntax errors,
// limits). The caller must look at problems.errors() before it uses the tree for more than checks.
std::optional<ConfigNode> parse_yaml(std::string_view text, std::uint32_t file,
                                     const Surroundings& surroundings, Diagnostics& problems);

}  // namespace streamd
