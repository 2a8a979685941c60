// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace streamd {
namespace {

using Inputs = std::vector<std::pair<std::size_t, Port>>;
// What nodes must have in common, besides their inputs.
using Work = std::tuple<Inputs, std::string, std::string>;  // inputs, type, shared_work()

std::optional<Work> work_of(const DraftNode& node) {
  if (node.node.op == nullptr) return std::nullopt;
  std::string text = node.node.op->shared_work();
  if (text.empty()) return std::nullopt;
  Inputs inputs;
  for (const auto& input : node.inputs) inputs.emplace_back(input.node.value_or(0), input.port);
  return Work{std::move(inputs), node.node.type, std::move(text)};
}

// Appends the node that does the common work; its index.
std::size_t add_common(Draft& draft, const std::vector<std::size_t>& members) {
  std::vector<const OperatorPlan*> all;
  for (const std::size_t m : members) all.push_back(draft.nodes[m].node.op.get());
  const DraftNode& first = draft.nodes[members.front()];
  DraftNode common;
  common.body = first.body;
  common.inputs = first.inputs;
  common.node.kind = PlanNode::Kind::op;
  // No name of a user's has this sign.
  common.node.name = fmt::format("{}+{}", first.node.name, members.size() - 1);
  for (const std::size_t m : members) common.node.state_of.push_back(draft.nodes[m].node.name);
  common.node.type = first.node.type;
  common.node.place = first.node.place;
  common.node.op = first.node.op->common_step(all);
  draft.nodes.push_back(std::move(common));
  return draft.nodes.size() - 1;
}

void read_from(Draft& draft, const std::vector<std::size_t>& members, std::size_t common) {
  for (std::size_t i = 0; i < common; ++i)
    for (auto& input : draft.nodes[i].inputs)
      if (input.port == Port::late && input.node &&
          std::find(members.begin(), members.end(), *input.node) != members.end())
        input.node = common;
  for (const std::size_t m : members) {
    DraftNode& node = draft.nodes[m];
    node.node.op = node.node.op->last_step();
    DraftInput input = node.inputs.front();
    input.node = common;
    input.port = Port::out;
    node.inputs = {std::move(input)};
  }
  const auto earliest = std::find_if(draft.order.begin(), draft.order.end(), [&](std::size_t n) {
    return std::find(members.begin(), members.end(), n) != members.end();
  });
  draft.order.insert(earliest, common);
}

}  // namespace

bool share_work(Draft& draft) {
  std::map<Work, std::vector<std::size_t>> groups;  // nodes in the order of the file
  for (std::size_t i = 0; i < draft.nodes.size(); ++i)
    if (auto work = work_of(draft.nodes[i])) groups[std::move(*work)].push_back(i);
  bool any = false;
  for (const auto& [work, members] : groups) {
    if (members.size() < 2) continue;
    any = true;
    read_from(draft, members, add_common(draft, members));
  }
  return any;
}

}  // namespace streamd
