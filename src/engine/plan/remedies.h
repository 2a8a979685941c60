// SPDX-License-Identifier: Apache-2.0
// What components report in their own words gets, where it lacks them, the place that is meant and
// what to do: from the component's declaration and from the fields that there are.
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/spec_view.h"
#include "engine/core/schema.h"

#include <string>
#include <vector>

namespace streamd {

bool has(const std::vector<std::string>& names, const std::string& name);
void add(const Diagnostic& problem, Diagnostics& problems);

// What stands in the first pair of quotes: the name that a message is about or a hint proposes.
std::string quoted_part(const std::string& message);

// The scalar with this text; of a map's keys too, but for those of type and input.
const ConfigNode* scalar_of(const ConfigNode& node, const std::string& text);

// Problems with the settings of a node: rules point at the key that they are about, and what is
// missing or of a wrong type shows an example.
void complete_settings(const ConfigNode& body, const SpecView& view, const Diagnostics& found,
                       Diagnostics& problems);

// Problems with the fields of a node's input: they point at the name, and show the fields that
// there are. `body` may be null.
void complete_fields(const ConfigNode* body, const Schema& in, const Diagnostics& found,
                     Diagnostics& problems);

}  // namespace streamd
