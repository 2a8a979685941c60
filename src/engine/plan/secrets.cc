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
