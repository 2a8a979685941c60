// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/secrets.h"

#include <algorithm>
#include <array>
#include <functional>

namespace streamd {
namespace {

using Names = std::vector<std::string>;
using Fields = std::vector<FieldView>;
using Found = std::function<void(ConfigNode&)>;  // a secret scalar

// Options of a client library have free keys, such as sasl.password.
constexpr const char* kFreeKeys = "options";
constexpr std::array<const char*, 3> kTelling = {"password", "secret", "token"};

bool is_telling(const std::string& key) {
  return std::any_of(kTelling.begin(), kTelling.end(),
                     [&](const char* word) { return key.find(word) != std::string::npos; });
}

void add_names(const Fields& fields, Names& names) {
  for (const auto& field : fields) {
    if (field.secret && std::find(names.begin(), names.end(), field.name) == names.end())
      names.push_back(field.name);
    add_names(field.nested, names);
  }
}

void hide_all(ConfigNode& node, const Found& found) {
  if (node.shape == ConfigNode::Shape::scalar) found(node);
  for (auto& item : node.items) hide_all(item, found);
  for (auto& [key, value] : node.entries) hide_all(value, found);
}

void hide_by_names(ConfigNode& node, const Names& names, const Found& found);

// The value of a key that nobody declares: one that tells, one of `names`, or meant as one.
void hide_by_name(const std::string& key, ConfigNode& value, const Names& names,
                  const Found& found) {
  if (is_telling(key) || !closest(key, names).empty())
    hide_all(value, found);
  else
    hide_by_names(value, names, found);
}

void hide_by_names(ConfigNode& node, const Names& names, const Found& found) {
  for (auto& item : node.items) hide_by_names(item, names, found);
  for (auto& [key, value] : node.entries) hide_by_name(key.text, value, names, found);
}

void hide_fields(ConfigNode& node, const Fields& fields, const Names& names, const Found& found) {
  for (auto& item : node.items) hide_fields(item, fields, names, found);
  for (auto& [key, value] : node.entries) {
    const auto field =
        std::find_if(fields.begin(), fields.end(),
                     [&key = key](const FieldView& known) { return known.name == key.text; });
    if (field == fields.end())
      hide_by_name(key.text, value, names, found);
    else if (field->secret)
      hide_all(value, found);
    else if (!field->nested.empty())
      hide_fields(value, field->nested, names, found);
    else if (field->name == kFreeKeys)
      hide_by_names(value, {}, found);
  }
}

template <class Plan>
void hide_section(ConfigNode& section, const std::vector<Registered<Plan>>& components,
                  const Names& names, const Found& found) {
  for (auto& [name, body] : section.entries) {
    const ConfigNode* type = body.find("type");
    const auto component =
        std::find_if(components.begin(), components.end(), [&](const Registered<Plan>& known) {
          return type != nullptr && known.view.type == type->text;
        });
    hide_fields(body, component == components.end() ? Fields{} : component->view.fields, names,
                found);
  }
}

}  // namespace

std::vector<std::string> secret_names(const Registry& registry) {
  Names names;
  for (const auto& component : registry.sources()) add_names(component.view.fields, names);
  for (const auto& component : registry.lists()) add_names(component.view.fields, names);
  for (const auto& component : registry.operators()) add_names(component.view.fields, names);
  for (const auto& component : registry.sinks()) add_names(component.view.fields, names);
  return names;
}

namespace {

void find_secrets(ConfigNode& document, const Registry& registry, const Found& found) {
  const Names names = secret_names(registry);
  for (auto& [key, value] : document.entries) {
    if (key.text == "sources")
      hide_section(value, registry.sources(), names, found);
    else if (key.text == "lists")
      hide_section(value, registry.lists(), names, found);
    else if (key.text == "operators")
      hide_section(value, registry.operators(), names, found);
    else if (key.text == "sinks")
      hide_section(value, registry.sinks(), names, found);
    else
      hide_by_names(value, names, found);
  }
}

// Of URLs, wherever they stand.
void add_passwords(const ConfigNode& node, std::vector<std::string>& values) {
  if (const std::size_t scheme = node.text.find("://"); scheme != std::string::npos) {
    const std::size_t begin = scheme + 3;
    const std::size_t end = std::min(node.text.find_first_of("/?#", begin), node.text.size());
    const std::size_t at = node.text.rfind('@', end);
    const std::size_t colon = node.text.find(':', begin);
    if (at != std::string::npos && at > begin && colon < at)
      values.push_back(node.text.substr(colon + 1, at - colon - 1));
  }
  for (const auto& item : node.items) add_passwords(item, values);
  for (const auto& [key, value] : node.entries) add_passwords(value, values);
}

}  // namespace

namespace {

// A long word of letters and digits, as tokens are.
bool is_token(std::string_view word) {
  constexpr std::size_t kShortest = 20;
  const bool digit = word.find_first_of("0123456789") != std::string_view::npos;
  const bool letter = std::any_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  return word.size() >= kShortest && digit && letter;
}

// user:password@, or a token in the path or the query.
bool is_telling_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  std::string_view rest = url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  const std::size_t at = rest.substr(0, rest.find('/')).find('@');
  if (at != std::string_view::npos && rest.substr(0, at).find(':') != std::string_view::npos)
    return true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of("/?&=;"), rest.size());
    if (is_token(rest.substr(0, end))) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

bool is_plain_secret(const std::string& key, const ConfigNode& value) {
  if (value.shape != ConfigNode::Shape::scalar || value.substituted || value.text.empty())
    return false;
  if (key == "user" || key == "username") return false;
  const bool url = key.find("url") != std::string::npos || key.find("uri") != std::string::npos;
  if (key != "webhook" && (url || value.text.find("://") != std::string::npos))
    return is_telling_url(value.text);
  return true;
}

void warn_fields(const ConfigNode& node, const Fields& fields, const std::string& label,
                 Diagnostics& problems) {
  const auto warn = [&](const std::string& key, const ConfigNode& value) {
    if (is_plain_secret(key, value))
      problems.warning("plain-secret", value.place,
                       label + ": \"" + key + "\" stands in the file as it is",
                       "write ${VARIABLE} or ${file:/path}, and change it if others have seen it");
  };
  for (const auto& item : node.items) warn_fields(item, fields, label, problems);
  for (const auto& [key, value] : node.entries) {
    const auto field =
        std::find_if(fields.begin(), fields.end(),
                     [&key = key](const FieldView& known) { return known.name == key.text; });
    if (field == fields.end()) continue;
    if (!field->secret) {
      warn_fields(value, field->nested, label, problems);
      if (field->name == kFreeKeys)
        for (const auto& [option, text] : value.entries)
          if (is_telling(option.text)) warn(option.text, text);
      continue;
    }
    warn(key.text, value);
    for (const auto& [name, text] : value.entries)  // headers
      if (is_telling(name.text) || closest(name.text, {"Authorization", "X-Api-Key"}) != "")
        warn(name.text, text);
    for (const auto& item : value.items) warn(key.text, item);
  }
}

template <class Plan>
void warn_section(const ConfigNode& document, const char* section, const std::string& kind,
                  const std::vector<Registered<Plan>>& components, Diagnostics& problems) {
  const ConfigNode* nodes = document.find(section);
  if (nodes == nullptr) return;
  for (const auto& [name, body] : nodes->entries) {
    const ConfigNode* type = body.find("type");
    for (const auto& component : components)
      if (type != nullptr && component.view.type == type->text)
        warn_fields(body, component.view.fields, kind + " " + json_quote(name.text), problems);
  }
}

}  // namespace

void warn_plain_secrets(const ConfigNode& document, const Registry& registry,
                        Diagnostics& problems) {
  warn_section(document, "sources", "source", registry.sources(), problems);
  warn_section(document, "lists", "list", registry.lists(), problems);
  warn_section(document, "operators", "operator", registry.operators(), problems);
  warn_section(document, "sinks", "sink", registry.sinks(), problems);
}

std::vector<Place> secret_places(const ConfigNode& document, const Registry& registry) {
  std::vector<Place> places;
  ConfigNode copy = document;
  find_secrets(copy, registry, [&places](const ConfigNode& node) { places.push_back(node.place); });
  return places;
}

std::vector<std::string> secret_values(const ConfigNode& document, const Registry& registry) {
  std::vector<std::string> values;
  ConfigNode copy = document;
  find_secrets(copy, registry, [&values](const ConfigNode& node) {
    values.push_back(node.text);
    const std::size_t space = node.text.find(' ');  // Bearer …
    if (space != std::string::npos) values.push_back(node.text.substr(space + 1));
  });
  add_passwords(copy, values);
  return values;
}

void mark_secrets(ConfigNode& document, const Registry& registry) {
  find_secrets(document, registry, [](ConfigNode& node) { node.substituted = true; });
}

}  // namespace streamd
