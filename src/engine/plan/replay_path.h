// SPDX-License-Identifier: Apache-2.0
// The way of records that are replayed: where they have not been. `dlq replay` calls it before it
// runs the plan.
#pragma once

#include "engine/plan/plan.h"

#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// Opens and closes the plan's inputs for records that this node has refused: they go from their
// sources to it, and on behind it. Every other node has had them. All inputs are open when a source
// refused them, or a node that the plan does not have any more.
// Gives the operators and sinks that get none of them, in the order of the plan.
std::vector<std::string> open_path_to(Plan& plan, std::string_view refused_by);

}  // namespace streamd
