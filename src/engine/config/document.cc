// SPDX-License-Identifier: Apache-2.0
#include "engine/config/document.h"

#include "engine/api/field_type.h"
#include "engine/api/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace streamd {
namespace {

using Shape = ConfigNode::Shape;

struct CheckpointConfig {
  Duration every = Duration::from_seconds(1);
};

}  // namespace

template <>
struct NestedSpec<CheckpointConfig> {
  static const Spec<CheckpointConfig>& spec() {
    using C = CheckpointConfig;
    static const Spec<C> kSpec =
        Spec<C>("a map of checkpoint settings")
            .field(&C::every, {.name = "every",
                               .help = "Time between two checkpoints. After a crash at most this "
                                       "much is read again.",
                               .examples = {"1s", "500ms"}})
            .rule("every must be at least 10ms",
                  [](const C& c) { return c.every >= Duration::from_millis(10); });
    return kSpec;
  }
};

namespace {

constexpr std::array<std::pair<Section, const char*>, 4> kSections = {
    {{Section::sources, "sources"},
     {Section::lists, "lists"},
     {Section::operators, "operators"},
     {Section::sinks, "sinks"}}};
constexpr std::size_t kLongestName = 100;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_node_name(const std::string& name) {
  if (name.empty() || name.size() > kLongestName || !is_letter(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

bool is_pipeline_name(const std::string& name) {
  if (name.empty() || name.size() > kLongestName) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-';
  });
}

// A key that probably means another one is taken for it, so that what is below is checked too.
void reject_unknown_top_level(ConfigNode& root, Diagnostics& problems) {
  const std::vector<std::string> known = document_view().field_names();
  for (auto& [key, value] : root.entries) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    if (key.text.rfind("x-", 0) == 0) continue;  // a home for anchors
    const std::string guess = closest(key.text, known);
    problems.error("unknown-key", key.place, "unknown key " + json_quote(key.text),
                   guess.empty() ? "at the top level stand pipeline, sources, lists, operators, "
                                   "sinks, dead_letters, checkpoint and plugins"
                                 : fmt::format("did you mean \"{}\"?", guess));
    if (!guess.empty() && root.find(guess) == nullptr) key.text = guess;
  }
}

void read_name(const ConfigNode& root, Document& into, Diagnostics& problems) {
  const ConfigNode* value = root.find("pipeline");
  if (value == nullptr) {
    problems.error("missing-key", root.place, "\"pipeline\" is missing",
                   "add pipeline: name; the state directory is called after it");
    return;
  }
  if (!FieldType<std::string>::read(*value, into.pipeline, problems)) return;
  if (is_pipeline_name(into.pipeline)) return;
  problems.error("bad-name", value->place,
                 value->substituted
                     ? std::string("the variable's value cannot name a pipeline")
                     : fmt::format("{} cannot name a pipeline", json_quote(into.pipeline)),
                 "use lower case letters, digits, _ and -, at most 100");
}

void read_section(const ConfigNode& root, Section section, const char* key, Document& into,
                  Diagnostics& problems) {
  const ConfigNode* nodes = root.find(key);
  if (nodes == nullptr || nodes->shape == Shape::null) return;
  if (nodes->shape != Shape::map) {
    into.unreadable.insert(section);
    Diagnostics own;
    report_type(*nodes, "a map of name: settings", own);
    problems.error("type-mismatch", nodes->place, own.all().front().message,
                   nodes->shape == Shape::list
                       ? "write the name in front, without a dash: requests: {type: …}"
                       : "write below it name: {type: …}");
    return;
  }
  for (const auto& [name, body] : nodes->entries) {
    if (!is_node_name(name.text))
      problems.error(
          "bad-name", name.place,
          fmt::format("{} cannot name a {}", json_quote(name.text), section_kind(section)),
          "use letters, digits, _ and -, not beginning with a digit, at most 100");
    if (body.shape != Shape::map) {
      Diagnostics own;
      report_type(body, "a map", own);
      problems.error(
          "type-mismatch", body.place,
          fmt::format("{} \"{}\": {}", section_kind(section), name.text, own.all().front().message),
          body.text.starts_with("type:")
              ? "put a blank behind the colon: type: " + body.text.substr(5)
              : "write its settings below it, beginning with type:");
    }
    into.nodes.push_back(
        {section, name.text, name.place, body.shape == Shape::map ? &body : nullptr});
  }
}

}  // namespace

std::string section_kind(Section section) {
  switch (section) {
    case Section::sources: return "source";
    case Section::lists: return "list";
    case Section::operators: return "operator";
    case Section::sinks: return "sink";
  }
  return "?";
}

Document read_document(ConfigNode& root, Diagnostics& problems) {
  Document document;
  document.place = root.place;
  if (root.shape != Shape::map) {
    problems.error("type-mismatch", root.place, "a pipeline file is a map",
                   "begin with pipeline: name");
    return document;
  }
  reject_unknown_top_level(root, problems);
  read_name(root, document, problems);
  for (const auto& [section, key] : kSections) read_section(root, section, key, document, problems);
  if (const ConfigNode* value = root.find("dead_letters")) {
    std::string name;
    document.dead_letters_place = value->place;
    if (FieldType<std::string>::read(*value, name, problems)) document.dead_letters = name;
  }
  if (const ConfigNode* value = root.find("checkpoint"))
    if (const auto config = NestedSpec<CheckpointConfig>::spec().parse(*value, problems))
      document.checkpoint_every = config->every;
  return document;
}

std::vector<PluginPath> read_plugins(const ConfigNode& root, Diagnostics& problems) {
  std::vector<PluginPath> paths;
  const ConfigNode* const value = root.shape == Shape::map ? root.find("plugins") : nullptr;
  if (value == nullptr || value->shape == Shape::null) return paths;
  const auto read = [&](const ConfigNode& item) {
    std::string path;
    if (FieldType<std::string>::read(item, path, problems)) paths.push_back({path, item.place});
  };
  if (value->shape == Shape::list)
    for (const ConfigNode& item : value->items) read(item);
  else
    read(*value);
  return paths;
}

SpecView document_view() {
  const auto& checkpoint = NestedSpec<CheckpointConfig>::spec().view();
  SpecView view;
  view.type = "pipeline";
  view.summary = "A pipeline of streamd.";
  view.fields = {
      {.name = "pipeline",
       .help = "Name of the pipeline: lower case letters, digits, `_` and `-`. Its state directory "
               "is called after it.",
       .type = "text",
       .json_schema = R"({"type":"string","pattern":"^[a-z0-9_-]+$"})",
       .fallback = "",
       .required = true},
      {.name = "sources",
       .help = "Where records come from, by name.",
       .type = "map of source",
       .json_schema = "{}",
       .fallback = "",
       .required = true},
      {.name = "lists",
       .help = "Indicator lists (addresses, networks, domains, texts), by name: for `match` and "
               "for `x in list(\"name\")` in expressions.",
       .type = "map of list",
       .json_schema = "{}",
       .fallback = ""},
      {.name = "operators",
       .help = "What happens to them, by name.",
       .type = "map of operator",
       .json_schema = "{}",
       .fallback = ""},
      {.name = "sinks",
       .help = "Where results go, by name.",
       .type = "map of sink",
       .json_schema = "{}",
       .fallback = "",
       .required = true},
      {.name = "dead_letters",
       .help = "Name of the sink that gets the records that could not be used. Without it they go "
               "to a file in the state directory (`streamd dlq`).",
       .type = "text",
       .json_schema = FieldType<std::string>::json_schema(),
       .fallback = ""},
      {.name = "checkpoint",
       .help = "`every`: " + checkpoint.fields.front().help + " Default: 1s.",
       .type = "map",
       .json_schema = object_schema(checkpoint),
       .fallback = ""},
      {.name = "plugins",
       .help = "Files of plugins whose components this pipeline uses, relative to the folder of "
               "this file. (--plugin and $STREAMD_PLUGIN_PATH load them for all.)",
       .type = FieldType<std::vector<std::string>>::name(),
       .json_schema = FieldType<std::vector<std::string>>::json_schema(),
       .fallback = ""},
  };
  return view;
}

}  // namespace streamd
