// SPDX-License-Identifier: Apache-2.0
// YAML of a test file as JSON: plain scalars that JSON knows (numbers, true, false, null) are
// those, everything else is text.
#pragma once

#include "engine/api/config_node.h"
#include "engine/core/value.h"

#include <string>
#include <string_view>

namespace streamd::testing {

enum class ScalarKind { null, boolean, number, text };
ScalarKind scalar_kind(const ConfigNode& node);  // Shape::null too; other shapes: text

void append_json(const ConfigNode& node, std::string& out);
std::string json_of(const ConfigNode& node);

// One value of a row for people, and as YAML in flow style that reads back as the same value.
std::string shown(const Value& value);
std::string flow_yaml(const Value& value);
std::string flow_key(std::string_view key);

}  // namespace streamd::testing
