// SPDX-License-Identifier: Apache-2.0
#include "engine/app/load.h"

#include "engine/config/render.h"
#include "engine/config/yaml.h"
#include "engine/core/check.h"
#include "engine/plan/build.h"
#include "engine/runtime/run.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace streamd {
namespace {

std::optional<std::string> read_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return std::nullopt;
  return std::move(text).str();
}

ConfigNode scalar(const std::string& text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = text;
  return node;
}

ConfigNode map_of(const std::vector<std::pair<std::string, ConfigNode>>& entries) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  for (const auto& [key, value] : entries) node.entries.emplace_back(scalar(key), value);
  return node;
}

}  // namespace

std::optional<Plan> load_plan(const std::string& file, const Registry& registry) {
  const auto text = read_file(file);
  if (!text) {
    fmt::print(stderr, "error: cannot read the pipeline file \"{}\"\n", file);
    return std::nullopt;
  }
  Diagnostics problems;
  std::optional<Plan> plan;
  if (const auto document = parse_yaml(*text, 0, process_surroundings(), problems))
    plan = build_plan(*document, registry, problems);
  const bool colours = isatty(2) != 0;
  std::fputs(render(problems, {{file, *text}}, colours).c_str(), stderr);
  if (problems.errors() > 0) return std::nullopt;
  return plan;
}

void add_default_dead_letters(Plan& plan, const std::string& state_root, const Registry& registry) {
  if (plan.dead_letters) return;
  const auto config =
      map_of({{"path", scalar(dead_letter_dir(state_root, plan.pipeline) + "/dead_letters.ndjson")},
              {"rotate", map_of({{"size", scalar("64MiB")}, {"keep", scalar("8")}})}});
  Diagnostics problems;
  PlanNode node;
  node.kind = PlanNode::Kind::sink;
  node.name = "dead letters";
  node.type = "file";
  node.in = dead_letter_schema();
  for (const auto& registered : registry.sinks())
    if (registered.view.type == "file") node.sink = registered.make(config, {}, problems);
  STREAMD_CHECK(node.sink && problems.errors() == 0, "the default dead-letter file is a file sink");
  node.sink->bind(node.in, problems);
  plan.dead_letters = plan.nodes.size();
  plan.nodes.push_back(std::move(node));
}

}  // namespace streamd
