// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/replay_path.h"

#include <algorithm>
#include <cstddef>

namespace streamd {
namespace {

// Nodes from which records come to this one.
std::vector<bool> nodes_before(const Plan& plan, std::size_t node) {
  std::vector<bool> before(plan.nodes.size());
  for (std::size_t n = node + 1; n-- > 0;) {
    if (n != node && !before[n]) continue;
    for (const PlanInput& input : plan.nodes[n].inputs) before[input.node] = true;
  }
  return before;
}

// This one, and the nodes to which records come from it.
std::vector<bool> nodes_from(const Plan& plan, std::size_t node) {
  std::vector<bool> from(plan.nodes.size());
  from[node] = true;
  for (std::size_t n = node + 1; n < plan.nodes.size(); ++n)
    for (const PlanInput& input : plan.nodes[n].inputs)
      if (from[input.node]) from[n] = true;
  return from;
}

}  // namespace

std::vector<std::string> open_path_to(Plan& plan, std::string_view refused_by) {
  for (PlanNode& node : plan.nodes)
    for (PlanInput& input : node.inputs) input.closed = false;
  const auto found = std::find_if(plan.nodes.begin(), plan.nodes.end(),
                                  [&](const PlanNode& node) { return node.name == refused_by; });
  if (found == plan.nodes.end() || found->kind == PlanNode::Kind::source) return {};
  const auto here = static_cast<std::size_t>(found - plan.nodes.begin());
  const std::vector<bool> before = nodes_before(plan, here), from = nodes_from(plan, here);
  std::vector<std::string> without;
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    // A node behind has had what comes to it on another way.
    const bool behind = from[n] && n != here;
    bool open = plan.nodes[n].inputs.empty();
    for (PlanInput& input : plan.nodes[n].inputs) {
      input.closed = behind ? !from[input.node] : n != here && !before[n];
      open = open || !input.closed;
    }
    if (!open) without.push_back(plan.nodes[n].name);
  }
  return without;
}

}  // namespace streamd
