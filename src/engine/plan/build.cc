// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/build.h"

#include "engine/plan/draft.h"

#include <set>
#include <tuple>

namespace streamd {
namespace {

// A node is bound twice and then says the same thing twice.
void hand_over(const Diagnostics& found, Diagnostics& problems) {
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t, std::string>> seen;
  for (const auto& p : found.all()) {
    if (!seen.emplace(p.code, p.place.file, p.place.line, p.place.column, p.message).second)
      continue;
    if (p.severity == Severity::error)
      problems.error(p.code, p.place, p.message, p.hint);
    else
      problems.warning(p.code, p.place, p.message, p.hint);
  }
}

// Records that come too late go where the window's port `late` leads; somebody must read it.
void check_late(const Draft& draft, Diagnostics& problems) {
  for (const auto& node : draft.nodes)
    for (const auto& input : node.inputs)
      if (input.port == Port::late) return;
  for (const auto& node : draft.nodes) {
    const auto& time = node.node.common.time;
    if (!time || time->late != LatePolicy::route) continue;
    const ConfigNode* late = node.body->find("time")->find("late");
    problems.warning("late-unread", late == nullptr ? node.node.place : late->place,
                     node.label() + ": late records are routed, but nothing reads them",
                     "read the window's port: input: name.late");
  }
}

Plan finish(Draft draft) {
  Plan plan;
  plan.pipeline = draft.document.pipeline;
  plan.checkpoint_every = draft.document.checkpoint_every;
  for (auto& list : draft.lists) plan.lists.push_back(std::move(list.list));
  std::vector<std::size_t> place_of(draft.nodes.size());
  for (std::size_t i = 0; i < draft.order.size(); ++i) place_of[draft.order[i]] = i;
  for (const std::size_t from : draft.order) {
    PlanNode& node = draft.nodes[from].node;
    for (auto& input : node.inputs) input.node = place_of[input.node];
    if (node.state_of.empty()) node.state_of = {node.name};
    plan.nodes.push_back(std::move(node));
  }
  if (draft.dead_letters) plan.dead_letters = place_of[*draft.dead_letters];
  return plan;
}

std::optional<Plan> build(const ConfigNode& document, const Registry& registry,
                          Diagnostics& found) {
  Draft draft;
  if (document.shape != ConfigNode::Shape::map) {
    read_document(document, found);
    return std::nullopt;
  }
  draft.document = read_document(document, found);
  make_components(draft, registry, found);
  connect(draft, found);
  bind_nodes(draft, Pass::first, found);
  if (found.errors() > 0) return std::nullopt;
  if (share_work(draft)) bind_nodes(draft, Pass::first, found);
  collect_needs(draft, found);
  check_late(draft, found);
  if (found.errors() > 0) return std::nullopt;
  bind_nodes(draft, Pass::last, found);
  if (found.errors() > 0) return std::nullopt;
  return finish(std::move(draft));
}

}  // namespace

Schema dead_letter_schema() {
  Schema schema;
  schema.fields = {{"node", Type::string},          {"code", Type::string},
                   {"reason", Type::string},        {"source", Type::string},
                   {"partition", Type::string},     {"position", Type::uint64},
                   {"event_time", Type::timestamp}, {"attempts", Type::int64},
                   {"encoding", Type::string},      {"data", Type::any}};
  return schema;
}

std::optional<Plan> build_plan(const ConfigNode& document, const Registry& registry,
                               Diagnostics& problems) {
  Diagnostics found;
  auto plan = build(document, registry, found);
  hand_over(found, problems);
  return plan;
}

}  // namespace streamd
