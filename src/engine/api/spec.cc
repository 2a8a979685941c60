// SPDX-License-Identifier: Apache-2.0
#include "engine/api/spec.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

// The default as JSON, where it is a single value; an editor puts it in.
std::string default_value(const FieldView& field) {
  const std::string& text = field.fallback;
  if (text.empty() || text.find_first_of("[{\" ") != std::string::npos) return {};
  const bool digits = text.find_first_not_of("-0123456789.") == std::string::npos;
  const bool plain = digits || text == "true" || text == "false";
  return ",\"default\":" + (plain ? text : json_quote(text));
}

std::string property_schema(const FieldView& field) {
  std::string text = field.help;
  const auto add = [&text](const std::string& sentence) {
    text += (text.empty() ? "" : " ") + sentence;
  };
  if (!field.fallback.empty()) add("Default: " + field.fallback + ".");
  if (field.secret) add("Secret: use ${VAR} or ${file:/path}.");
  std::string markdown = text;
  for (const auto& example : field.examples)
    if (!field.secret) markdown += "\n\n```yaml\n" + field.name + ": " + example + "\n```";
  std::string schema = "{\"description\":" + json_quote(text) +
                       ",\"markdownDescription\":" + json_quote(markdown) + default_value(field);
  if (field.json_schema.size() > 2)
    schema += "," + field.json_schema.substr(1);
  else
    schema += "}";
  return schema;
}

bool is_word_sign(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

// Or at the same place.
bool is_before(const Place& a, const Place& b) {
  return a.file == b.file && (a.line < b.line || (a.line == b.line && a.column <= b.column));
}

}  // namespace

void reject_unknown_keys(ConfigNode& node, const std::vector<const SpecView*>& views,
                         Diagnostics& problems) {
  std::vector<std::string> known;
  for (const SpecView* view : views)
    for (const auto& field : view->fields) known.push_back(field.name);
  for (auto& [key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    const std::string guess = closest(key.text, known);
    std::string all;
    for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
    problems.error(
        "unknown-key", key.place, "unknown key " + json_quote(key.text),
        guess.empty() ? "known keys: " + all : fmt::format("did you mean \"{}\"?", guess));
    if (!guess.empty() && node.find(guess) == nullptr) key.text = guess;
  }
}

void report_about_values(const ConfigNode& node, const std::vector<std::string>& except,
                         const Diagnostics& found, Diagnostics& problems) {
  for (const auto& p : found.all()) {
    if (p.place.line == 0) continue;  // about a default
    const ConfigEntry* about = nullptr;
    for (const auto& entry : node.entries)
      if (is_before(entry.second.place, p.place) &&
          (about == nullptr || is_before(about->second.place, entry.second.place)))
        about = &entry;
    if (about == nullptr ||
        std::find(except.begin(), except.end(), about->first.text) != except.end())
      continue;
    if (p.severity == Severity::error)
      problems.error(p.code, p.place, p.message, p.hint);
    else
      problems.warning(p.code, p.place, p.message, p.hint);
  }
}

void report_missing(const ConfigNode& node, const std::string& field, Diagnostics& problems) {
  problems.error("missing-key", node.place, fmt::format("\"{}\" is missing", field),
                 fmt::format("add {}:", field));
}

void report_rule(const ConfigNode& node, const std::string& text, Diagnostics& problems) {
  problems.error("rule", node.place, text);
}

void add_nothing(ConfigNode& node, const std::string& key) {
  ConfigNode name;
  name.shape = ConfigNode::Shape::scalar;
  name.text = key;
  node.entries.emplace_back(std::move(name), ConfigNode{});
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text + " ") {
    if (is_word_sign(c)) {
      word += c;
      continue;
    }
    while (!word.empty() && word.back() == '.') word.pop_back();
    if (!word.empty()) out.push_back(word);
    word.clear();
  }
  return out;
}

std::vector<std::string> keys_in_rule(const std::string& text, const SpecView& view) {
  const auto known = view.field_names();
  std::vector<std::string> keys;
  for (const auto& word : words_of(text))
    if (std::find(known.begin(), known.end(), word.substr(0, word.find('.'))) != known.end())
      keys.push_back(word);
  return keys;
}

std::string object_schema(const SpecView& view) {
  std::string properties, required;
  for (const auto& field : view.fields) {
    properties +=
        (properties.empty() ? "" : ",") + json_quote(field.name) + ":" + property_schema(field);
    if (field.required) required += (required.empty() ? "" : ",") + json_quote(field.name);
  }
  std::string schema = R"({"type":"object","title":)" +
                       json_quote(view.kind.empty() ? view.type : view.kind + " " + view.type);
  if (!view.summary.empty()) schema += ",\"description\":" + json_quote(view.summary);
  if (!view.details.empty())
    schema += ",\"markdownDescription\":" + json_quote(view.summary + "\n\n" + view.details);
  schema += ",\"properties\":{" + properties + "}";
  if (!required.empty()) schema += ",\"required\":[" + required + "]";
  return schema + ",\"additionalProperties\":false}";
}

}  // namespace streamd
