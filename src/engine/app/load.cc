// SPDX-License-Identifier: Apache-2.0
#include "engine/app/load.h"

#include "engine/config/document.h"
#include "engine/config/yaml.h"
#include "engine/core/check.h"
#include "engine/core/whole_file.h"
#include "engine/plan/build.h"
#include "engine/plan/secrets.h"
#include "engine/runtime/run.h"
#include "plugin/load.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <unistd.h>

namespace streamd {
namespace {

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

// What is not known because a plugin is missing need not be told as well; what looks like a slip
// is.
void take_but_unknown(const Diagnostics& found, Diagnostics& problems) {
  for (const auto& p : found.all())
    if (p.severity == Severity::error &&
        ((p.code != "unknown-type" && p.code != "unknown-function") ||
         p.hint.find("did you mean") != std::string::npos))
      problems.error(p.code, p.place, p.message, p.hint);
}

// Each file is checked by itself first, so that what is wrong in one is told in its own words.
void load(const std::string& file, const Surroundings& surroundings, std::set<std::string>& names,
          LoadedFiles& into) {
  const auto number = static_cast<std::uint32_t>(into.texts.size());
  const auto text = read_whole_file(file);
  into.texts.push_back({file, text.value_or("")});
  if (!text) {
    into.problems.error("no-file", {number, 0, 0, 1}, "cannot read the pipeline file",
                        "check the path, and that this user may read it");
    return;
  }
  auto document = parse_yaml(*text, number, surroundings, into.problems);
  if (!document) return;
  if (!load_plugins(*document, file, into.registry, into.problems)) {
    Diagnostics found;
    build_plan(*document, into.registry, found);
    take_but_unknown(found, into.problems);
    return;
  }
  const auto secrets = secret_places(*document, into.registry);
  into.secrets.places.insert(into.secrets.places.end(), secrets.begin(), secrets.end());
  if (const auto plan = build_plan(*document, into.registry, into.problems);
      plan && !names.insert(plan->pipeline).second)
    into.problems.error("duplicate-name", document->find("pipeline")->place,
                        fmt::format("two files declare pipeline \"{}\"", plan->pipeline),
                        "the name is the identity of the state folder: give each its own");
  into.documents.push_back(std::move(*document));
}

}  // namespace

bool load_plugins(const ConfigNode& document, const std::string& file, Registry& registry,
                  Diagnostics& problems) {
  const std::size_t before = problems.errors();
  const auto folder = std::filesystem::path(file).parent_path();
  for (const PluginPath& plugin : read_plugins(document, problems))
    if (Status added = plugin::add_plugin((folder / plugin.path).string(), registry); !added)
      problems.error("plugin", plugin.place, added.error().message, added.error().hint);
  return problems.errors() == before;
}

LoadedFiles load_files(const std::vector<std::string>& files, const Registry& registry,
                       const Surroundings& surroundings) {
  LoadedFiles loaded;
  loaded.registry = registry;
  std::set<std::string> names;  // of the pipelines
  for (const auto& file : files) load(file, surroundings, names, loaded);
  loaded.secrets.names = secret_names(loaded.registry);
  if (loaded.problems.errors() == 0)
    loaded.plans = build_jobs(loaded.documents, loaded.registry, loaded.problems);
  if (loaded.problems.errors() > 0) loaded.plans.clear();
  return loaded;
}

std::optional<std::vector<Plan>> load_jobs(const std::vector<std::string>& files,
                                           const Registry& registry,
                                           std::vector<std::string>* secrets) {
  LoadedFiles loaded = load_files(files, registry, process_surroundings());
  const bool colours = isatty(2) != 0;
  std::fputs(render(loaded.problems, loaded.texts, colours, loaded.secrets).c_str(), stderr);
  if (loaded.problems.errors() > 0) return std::nullopt;
  for (const auto& document : loaded.documents) {
    if (secrets == nullptr) break;
    const auto values = secret_values(document, loaded.registry);
    secrets->insert(secrets->end(), values.begin(), values.end());
  }
  return std::move(loaded.plans);
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
    if (registered.view.type == "file") node.sink = registered.make(config, {}, problems).plan;
  STREAMD_CHECK(node.sink && problems.errors() == 0, "the default dead-letter file is a file sink");
  node.sink->bind(node.in, problems);
  plan.dead_letters = plan.nodes.size();
  plan.nodes.push_back(std::move(node));
}

}  // namespace streamd
