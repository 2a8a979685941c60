// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/describe.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

using NodeKind = PlanNode::Kind;

std::string count(const Plan& plan, NodeKind kind, std::string_view what) {
  const auto n = std::count_if(plan.nodes.begin(), plan.nodes.end(),
                               [&](const PlanNode& node) { return node.kind == kind; });
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string line(std::string_view name, std::string_view text) {
  return fmt::format("    {:<9}{}\n", name, text);
}

std::string inputs(const Plan& plan, const PlanNode& node) {
  std::string text;
  for (const auto& input : node.inputs) {
    text += text.empty() ? " <- " : ", ";
    text += plan.nodes[input.node].name;
    if (input.port == Port::late) text += ".late";
    if (is_route(input.port))
      text += "." + plan.nodes[input.node].op->routes()[route_of(input.port)];
  }
  return text;
}

std::string decodes(const PlanNode& node) {
  const Schema& schema = node.ports.out;
  std::string names;
  for (const auto& field : schema.fields) names += (names.empty() ? "" : ", ") + field.name;
  const std::string codec = FieldType<DecodeConfig>::show(node.common.decode);
  if (names.empty()) names = schema.open ? "no field" : "nothing";
  return fmt::format("{}: {}{}", codec, names, schema.open ? " (the rest stays raw)" : "");
}

void describe_list(const PlanList& list, std::string& text) {
  text += fmt::format("list {} ({})\n", list.name, list.type);
  text += line("reads", list.plan->describe());
  std::string fields;
  for (std::size_t f = 0; f < kIndicatorFieldNames.size(); ++f)
    if (holds(list.plan->fields(), static_cast<IndicatorField>(f)))
      fields += (fields.empty() ? "" : ", ") + std::string(kIndicatorFieldNames[f]);
  if (!fields.empty()) text += line("knows", fields);
}

void describe_source(const PlanNode& node, std::string& text) {
  text += fmt::format("source {} ({})\n", node.name, node.type);
  text += line("reads", node.source->describe());
  text += line("decodes", decodes(node));
  text += line("time", describe_time(node));
  if (node.source->bounded()) text += line("ends", "by itself, then the process ends");
}

void describe_operator(const Plan& plan, const PlanNode& node, std::string& text) {
  text += fmt::format("operator {} ({}){}\n", node.name, node.type, inputs(plan, node));
  std::string keys;
  for (const std::string& key : node.op->key_fields()) keys += (keys.empty() ? "" : ", ") + key;
  if (!keys.empty())
    text += line("key", keys + (node.op->stateful() ? " (keeps state)" : ""));
  else if (node.op->stateful())
    text += line("state", "one for the whole node");
  if (node.state_of.size() > 1)
    text += line("for", fmt::format("{}", fmt::join(node.state_of, ", ")));
  if (const auto routes = node.op->routes(); !routes.empty())
    text += line("routes", fmt::format("{}", fmt::join(routes, ", ")));
  text += line("gives", describe_schema(node.ports.out));
}

void describe_sink(const Plan& plan, const PlanNode& node, bool dead_letters, std::string& text) {
  text += fmt::format("sink {} ({}){}\n", node.name, node.type,
                      dead_letters ? " <- dead letters" : inputs(plan, node));
  text += line("writes", node.sink->describe());
  text += line("gets", describe_schema(node.in));
  text +=
      line("promise",
           fmt::format(
               "{}, {}",
               node.sink->promise() == Promise::exactly_once ? "exactly once" : "at least once",
               node.sink->placement() == Placement::one ? "one writer" : "one writer per worker"));
}

}  // namespace

std::string describe_time(const PlanNode& source) {
  const auto& time = source.common.time;
  if (!time) return "no time field: arrival time is used";
  const auto column = source.ports.out.find(time->field);
  const bool is_time = column && source.ports.out.fields[*column].type == Type::timestamp;
  std::string text = "event time from " + time->field;
  if (!is_time) text += " (" + time->format + ")";
  if (time->max_delay == Duration{})
    text += ", none may be late";
  else
    text += fmt::format(", {} late allowed", format_duration(time->max_delay));
  if (time->late == LatePolicy::route) text += ", later ones leave by port late";
  return text;
}

std::string describe_schema(const Schema& schema) {
  std::string text;
  for (const auto& field : schema.fields) {
    text += (text.empty() ? "" : ", ") + field.name;
    if (field.type != Type::any) text += fmt::format(" {}", type_name(field.type));
  }
  std::string hidden;
  for (const auto& name : schema.hidden) hidden += (hidden.empty() ? "" : ", ") + name;
  if (schema.open) text += text.empty() ? "the record as it came" : " + the rest of the record";
  if (!hidden.empty()) text += ", without " + hidden;
  return text.empty() ? "nothing" : text;
}

std::string describe(const Plan& plan) {
  std::string text =
      fmt::format("pipeline {}: {}, {}, {}; a checkpoint every {}\n\n", plan.pipeline,
                  count(plan, NodeKind::source, "source"), count(plan, NodeKind::op, "operator"),
                  count(plan, NodeKind::sink, "sink"), format_duration(plan.checkpoint_every));
  if (!plan.members.empty())
    text +=
        fmt::format("pipelines {} are one job, with one checkpoint: they have equal sources\n\n",
                    fmt::join(plan.members, ", "));
  for (const auto& list : plan.lists) describe_list(list, text);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    switch (node.kind) {
      case NodeKind::source: describe_source(node, text); break;
      case NodeKind::op: describe_operator(plan, node, text); break;
      case NodeKind::sink: describe_sink(plan, node, plan.dead_letters == i, text); break;
    }
  }
  if (!plan.dead_letters)
    text += "dead letters go to a file in the state directory; see streamd dlq ls\n";
  return text;
}

}  // namespace streamd
