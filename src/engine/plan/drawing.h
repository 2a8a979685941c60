// SPDX-License-Identifier: Apache-2.0
// Plans as drawings, for `streamd graph`: sources first, what flows where, ports and routes on the
// edges, indicator lists beside the nodes that ask them, and where dead letters go.
#pragma once

#include "engine/api/config_node.h"
#include "engine/plan/plan.h"

#include <string>
#include <vector>

namespace streamd {

// What is drawn: plans, and the documents that they were made of, which say who asks which list.
struct Drawn {
  const std::vector<Plan>& plans;
  const std::vector<ConfigNode>& documents;
};

// For the terminal: each source with what reads it below. A node that is there already is named
// again with a sign, not drawn again.
std::string draw_text(const Drawn& drawn);

// A flowchart of Mermaid, which GitHub and many wikis draw.
std::string draw_mermaid(const Drawn& drawn);

// For Graphviz.
std::string draw_dot(const Drawn& drawn);

}  // namespace streamd
