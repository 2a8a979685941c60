// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/bench.h"

#include "engine/plan/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace streamd::testing {
namespace {

// No component of anybody's has this name.
constexpr const char* kRecorder = "test recorder";

struct NoConfig {};

ConfigNode scalar(const std::string& text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = text;
  node.quoted = true;
  return node;
}

ConfigNode recorder_of(const ConfigNode& input) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  node.entries.emplace_back(scalar("type"), scalar(kRecorder));
  node.entries.emplace_back(scalar("input"), input);
  return node;
}

bool has_node(const ConfigNode& document, const std::string& name) {
  for (const char* section : {"sources", "lists", "operators", "sinks"})
    if (const ConfigNode* nodes = document.find(section); nodes && nodes->find(name)) return true;
  return false;
}

Registry with_recorder(const Registry& registry) {
  Registry more = registry;
  more.add_sink(Spec<NoConfig>(kRecorder), [](NoConfig, const ConfigNode&, Diagnostics&) {
    return std::make_unique<RecordingPlan>();
  });
  return more;
}

// The document with a recorder beside each sink, which reads what the sink reads, and one behind
// each place. `names`: of the recorders, and what they stand for.
ConfigNode with_recorders(const ConfigNode& document, const std::set<std::string>& places,
                          std::map<std::string, std::string>& names) {
  ConfigNode wired = document;
  ConfigNode* sinks = nullptr;
  for (auto& [key, value] : wired.entries)
    if (key.text == "sinks") sinks = &value;
  if (sinks == nullptr) return wired;
  std::size_t number = 0;
  const auto add = [&](const std::string& place, const ConfigNode& input) {
    std::string name = fmt::format("recorder_{}", ++number);
    while (has_node(document, name)) name = fmt::format("recorder_{}", ++number);
    names.emplace(name, place);
    sinks->entries.emplace_back(scalar(name), recorder_of(input));
  };
  const ConfigNode own = *sinks;
  for (const auto& [name, body] : own.entries)
    if (const ConfigNode* input = body.find("input")) add(name.text, *input);
  for (const auto& place : places)
    if (own.find(place) == nullptr) add(place, scalar(place));
  return wired;
}

void remove_node(Plan& plan, std::size_t n) {
  plan.nodes.erase(plan.nodes.begin() + static_cast<std::ptrdiff_t>(n));
  for (auto& node : plan.nodes)
    for (auto& input : node.inputs)
      if (input.node > n) --input.node;
  if (plan.dead_letters && *plan.dead_letters > n) --*plan.dead_letters;
}

RecordingPlan& recorder_in(PlanNode& node) { return static_cast<RecordingPlan&>(*node.sink); }

void record(Bench& bench, PlanNode& node, const std::string& place) {
  auto recording = std::make_shared<Recording>();
  recorder_in(node).record_into(recording);
  bench.sent_fields[place] = recorder_in(node).sent_fields();
  bench.recordings[place] = std::move(recording);
  bench.schemas[place] = node.in;
}

// A recorder takes its sink's place: what it sees is what the sink would see, whole.
void replace_sinks(Bench& bench, const std::map<std::string, std::string>& names) {
  auto& nodes = bench.plan.nodes;
  for (std::size_t n = nodes.size(); n-- > 0;) {
    const auto named = names.find(nodes[n].name);
    if (named == names.end()) continue;
    const std::string& place = named->second;
    const auto sink = std::find_if(nodes.begin(), nodes.end(), [&](const PlanNode& node) {
      return node.name == place && node.kind == PlanNode::Kind::sink;
    });
    if (sink == nodes.end()) {
      record(bench, nodes[n], place);
      bench.added.insert(nodes[n].name);
      continue;
    }
    recorder_in(nodes[n]).stand_for(std::move(sink->sink));
    record(bench, nodes[n], place);
    sink->sink = std::move(nodes[n].sink);
    sink->in = std::move(nodes[n].in);
    sink->inputs = std::move(nodes[n].inputs);
    remove_node(bench.plan, n);
  }
}

void record_dead_letters(Bench& bench, const ConfigNode& document) {
  Plan& plan = bench.plan;
  if (!plan.dead_letters) {
    PlanNode node;
    node.kind = PlanNode::Kind::sink;
    node.name = "dead letters";
    node.type = kRecorder;
    bench.added.insert(node.name);
    plan.dead_letters = plan.nodes.size();
    plan.nodes.push_back(std::move(node));
  }
  PlanNode& sink = plan.nodes[*plan.dead_letters];
  auto own = std::move(sink.sink);
  auto recorder = std::make_unique<RecordingPlan>();
  sink.in = dead_letter_schema();
  Diagnostics none;
  recorder->bind(sink.in, none);
  if (own) recorder->stand_for(std::move(own), true);
  sink.sink = std::move(recorder);
  bench.dead_letters = bench.added.contains(sink.name) ? kDeadLetters : sink.name;
  record(bench, sink, bench.dead_letters);
  // Both names mean the same as long as none of them is another node's.
  if (bench.dead_letters != kDeadLetters && !has_node(document, kDeadLetters)) {
    bench.recordings[kDeadLetters] = bench.recordings[bench.dead_letters];
    bench.schemas[kDeadLetters] = sink.in;
    bench.sent_fields[kDeadLetters] = bench.sent_fields[bench.dead_letters];
  }
}

}  // namespace

std::optional<Bench> make_bench(const ConfigNode& document, const Registry& registry,
                                const std::set<std::string>& places,
                                const std::set<std::string>& asking,
                                const NamedList<EntryList>& lists, Diagnostics& problems) {
  std::map<std::string, std::string> names;
  const ConfigNode wired = with_recorders(document, places, names);
  auto plan = build_plan(wired, with_recorder(registry), problems);
  if (!plan) return std::nullopt;
  Bench bench;
  bench.plan = std::move(*plan);
  replace_sinks(bench, names);
  record_dead_letters(bench, document);
  for (auto& node : bench.plan.nodes) {
    if (!node.source || asking.contains(node.name)) continue;
    auto script = std::make_shared<Script>();
    node.source = scripted_source(script);
    bench.scripts[node.name] = std::move(script);
  }
  for (auto& list : bench.plan.lists) {
    const EntryList* given = find(lists, list.name);
    if (given == nullptr) continue;
    auto entries = std::make_shared<EntryList>(*given);
    list.plan = given_list(entries, list.slot->fields());
    bench.lists[list.name] = std::move(entries);
  }
  return bench;
}

}  // namespace streamd::testing
