// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/build.h"

#include "engine/plan/draft.h"
#include "engine/plan/joint.h"
#include "engine/plan/remedies.h"
#include "engine/plan/secrets.h"
#include "engine/plan/source_use.h"
#include "engine/plan/warnings.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

namespace streamd {
namespace {

// A node is bound twice and then says the same thing twice.
void hand_over(const Diagnostics& found, Diagnostics& problems) {
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t, std::string>> seen;
  for (const auto& p : found.all()) {
    if (seen.emplace(p.code, p.place.file, p.place.line, p.place.column, p.message).second)
      add(p, problems);
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
  plan.members = draft.document.members;
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

std::optional<Plan> build(Document document, const Registry& registry, Diagnostics& found) {
  Draft draft;
  draft.document = std::move(document);
  make_components(draft, registry, found);
  connect(draft, found);
  bind_nodes(draft, Pass::first, found);
  if (found.errors() > 0) return std::nullopt;
  if (share_work(draft)) bind_nodes(draft, Pass::first, found);
  collect_needs(draft, found);
  check_late(draft, found);
  warn_about(draft, found);
  if (found.errors() > 0) return std::nullopt;
  note_uses(draft);
  bind_nodes(draft, Pass::last, found);
  if (found.errors() > 0) return std::nullopt;
  return finish(std::move(draft));
}

// Two jobs that write to one place; within a job that is checked where its nodes are made.
void check_claims(const std::vector<Plan>& plans, Diagnostics& problems) {
  std::map<std::string, const Plan*> owners;
  for (const auto& plan : plans)
    for (const auto& node : plan.nodes) {
      if (node.sink == nullptr) continue;
      for (const Claim& claim : node.sink->claims()) {
        const Plan* owner = owners.emplace(claim.target, &plan).first->second;
        if (owner == &plan) continue;
        problems.error("duplicate-target", node.place,
                       fmt::format("sink \"{}\" writes to the same {} as a sink of pipeline {}",
                                   node.name, claim.kind, owner->pipeline),
                       "give each sink a target of its own");
        break;
      }
    }
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
  warn_plain_secrets(document, registry, found);
  ConfigNode marked = document;
  mark_secrets(marked, registry);
  Document read = read_document(marked, found);
  std::optional<Plan> plan;
  if (marked.shape == ConfigNode::Shape::map) plan = build(std::move(read), registry, found);
  hand_over(found, problems);
  return plan;
}

std::vector<Plan> build_jobs(const std::vector<ConfigNode>& documents, const Registry& registry,
                             Diagnostics& problems) {
  Diagnostics known;  // each file was built by itself and told what is wrong in it
  std::vector<ConfigNode> marked = documents;
  std::vector<Document> read;
  for (auto& document : marked) {
    mark_secrets(document, registry);
    read.push_back(read_document(document, known));
  }
  std::vector<Plan> plans;
  std::vector<GroupUse> groups;
  for (const auto& job : jobs_of(read)) {
    std::vector<Document> members;
    for (const std::size_t i : job) members.push_back(read[i]);
    Diagnostics found;
    std::optional<Plan> plan;
    if (job.size() == 1) {
      warn_shared_groups(members.front(), groups, problems);
      plan = build(std::move(members.front()), registry, found);
    } else {
      const JointDocument joint = join(std::move(members));
      warn_shared_groups(joint.document, groups, problems);
      plan = build(joint.document, registry, found);
    }
    for (const auto& problem : found.all())
      if (problem.severity == Severity::error)
        problems.error(problem.code, problem.place, problem.message, problem.hint);
    if (plan) plans.push_back(std::move(*plan));
  }
  check_claims(plans, problems);
  return plans;
}

}  // namespace streamd
