// SPDX-License-Identifier: Apache-2.0
// Which lists the settings of a node name: by the keys that take names of lists, and inside of
// expressions as list("name").
#pragma once

#include "engine/api/config_node.h"

#include <string>

namespace streamd {

// True when these settings ask the list.
bool asks_list(const ConfigNode& body, const std::string& list);

// True when the name stands anywhere in them, whatever it means there. Where it does not, the list
// is not asked, by a component of a plugin neither.
bool mentions(const ConfigNode& body, const std::string& name);

}  // namespace streamd
