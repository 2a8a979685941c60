// SPDX-License-Identifier: Apache-2.0
// Who counts what comes from which source, and for how long: what `check` warns of where the file
// says enough, and a source where only the far side knows (SourceContext::uses).
#pragma once

#include "engine/plan/draft.h"

#include <optional>
#include <vector>

namespace streamd {

struct NodeUse {
  std::size_t node = 0, source = 0;  // indices into Draft::nodes
  SourceUse use;
};

// Of every stateful node of the file, in its order, one for each source that it reads. Needs the
// schemas of a pass without errors.
std::vector<NodeUse> uses_of_sources(const Draft& draft);

// Gives each source what uses_of_sources() says of it (PlanNode::uses).
void note_uses(Draft& draft);

// Whose value is how long the windows of a node are; null where it has none.
const ConfigNode* window_length(const ConfigNode& body);

// What a value says as a duration; none: it is not there, or says something else.
std::optional<Duration> duration_of(const ConfigNode* node);

}  // namespace streamd
