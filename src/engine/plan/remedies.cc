// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/remedies.h"

#include "engine/api/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace streamd {
namespace {

bool same(const Place& a, const Place& b) {
  return a.file == b.file && a.line == b.line && a.column == b.column;
}

const ConfigEntry* entry_of(const ConfigNode& map, const std::string& key) {
  for (const auto& entry : map.entries)
    if (entry.first.text == key) return &entry;
  return nullptr;
}

// The entry for a dotted name, or of as much of it as there is.
const ConfigEntry* entry_at(const ConfigNode& map, const std::string& path) {
  const std::size_t dot = path.find('.');
  const ConfigEntry* entry = entry_of(map, path.substr(0, dot));
  if (entry == nullptr || dot == std::string::npos) return entry;
  const ConfigEntry* inner = entry_at(entry->second, path.substr(dot + 1));
  return inner == nullptr ? entry : inner;
}

const FieldView* field_of(const std::vector<FieldView>& fields, const std::string& name) {
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

std::string example_of(const FieldView& field) {
  return field.examples.empty() || field.secret
             ? std::string()
             : fmt::format("{}: {}", field.name, field.examples.front());
}

constexpr std::string_view kChoice = "one of ";

// "one of json, kv" -> json, kv; of a field that takes anything: none.
std::vector<std::string> choices_of(const FieldView& field) {
  return field.type.starts_with(kChoice) ? words_of(field.type.substr(kChoice.size()))
                                         : std::vector<std::string>();
}

// What a missing field may be, to be appended to "add name:".
std::string what_to_add(const FieldView& field) {
  if (field.type.starts_with(kChoice)) return " " + field.type;
  const std::string example = example_of(field);
  return example.empty() ? "" : ", for example " + example;
}

// A key that is a value of another one: "regex" instead of "format: regex".
std::string value_as_key(const std::string& key, const SpecView& view) {
  for (const auto& field : view.fields)
    for (const auto& choice : choices_of(field))
      if (choice == key)
        return fmt::format("{} is a {}: write {}: {}", key, field.name, field.name, key);
  return {};
}

// The declared field whose value begins at this place, at any depth.
const FieldView* field_at(const ConfigNode& map, const std::vector<FieldView>& fields,
                          const Place& place) {
  for (const auto& [key, value] : map.entries) {
    const FieldView* field = field_of(fields, key.text);
    if (field == nullptr) continue;
    if (same(value.place, place) || same(key.place, place)) return field;
    if (const FieldView* inner = field_at(value, field->nested, place)) return inner;
  }
  return nullptr;
}

bool is_there(const ConfigNode& map, const std::string& path) {
  const std::size_t dot = path.find('.');
  const ConfigEntry* entry = entry_of(map, path.substr(0, dot));
  if (entry == nullptr || dot == std::string::npos) return entry != nullptr;
  return is_there(entry->second, path.substr(dot + 1));
}

// What to add so that a rule holds: the first of its keys that is not there.
std::string addition(const ConfigNode& body, const std::vector<std::string>& keys,
                     const SpecView& view) {
  for (const auto& key : keys) {
    if (is_there(body, key)) continue;
    const FieldView* field = field_of(view.fields, key);
    if (field == nullptr) return fmt::format("add {}:", key);
    if (field->secret) return fmt::format("add {}: ${{VARIABLE}}", key);
    const std::string example = example_of(*field);
    return "add " + (example.empty() ? key + ":" : example);
  }
  return {};
}

std::string rule_hint(const ConfigNode& body, const std::vector<std::string>& keys,
                      const SpecView& view, const std::string& rule) {
  const auto says = [&](const char* part) { return rule.find(part) != std::string::npos; };
  if (says(" is for ") || says(" are for ")) return "remove it here";
  if (std::string add = addition(body, keys, view); !add.empty()) return add;
  if (keys.size() == 1)
    if (const FieldView* field = field_of(view.fields, keys.front());
        field != nullptr && !example_of(*field).empty())
      return "write for example " + example_of(*field);
  return fmt::format("see streamd docs {}", view.type);
}

void place_rule(const ConfigNode& body, const SpecView& view, Diagnostic& p) {
  const auto keys = keys_in_rule(p.message, view);
  for (const auto& key : keys)
    if (const ConfigEntry* at = entry_at(body, key)) {
      const bool scalar = at->second.shape == ConfigNode::Shape::scalar;
      p.place = scalar ? at->second.place : at->first.place;
      break;
    }
  if (p.hint.empty()) p.hint = rule_hint(body, keys, view, p.message);
}

std::string fields_there(const Schema& in) {
  if (in.fields.empty()) return "the records have no fields here";
  constexpr std::size_t kMost = 12;
  std::string out = "the fields here are ";
  for (std::size_t i = 0; i < in.fields.size() && i < kMost; ++i)
    out += (i > 0 ? ", " : "") + in.fields[i].name;
  return in.fields.size() > kMost ? out + ", …" : out;
}

}  // namespace

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add(const Diagnostic& problem, Diagnostics& problems) {
  const auto& [severity, code, place, message, hint] = problem;
  if (severity == Severity::error)
    problems.error(code, place, message, hint);
  else
    problems.warning(code, place, message, hint);
}

std::string quoted_part(const std::string& message) {
  const std::size_t from = message.find('"');
  const std::size_t to = from == std::string::npos ? from : message.find('"', from + 1);
  return to == std::string::npos ? std::string() : message.substr(from + 1, to - from - 1);
}

const ConfigNode* scalar_of(const ConfigNode& node, const std::string& text) {
  if (node.shape == ConfigNode::Shape::scalar && node.text == text) return &node;
  for (const auto& item : node.items)
    if (const ConfigNode* found = scalar_of(item, text)) return found;
  for (const auto& [key, value] : node.entries) {
    if (key.text == "type" || key.text == "input") continue;
    if (const ConfigNode* found = scalar_of(value, text)) return found;
    if (key.text == text) return &key;
  }
  return nullptr;
}

void complete_settings(const ConfigNode& body, const SpecView& view, const Diagnostics& found,
                       Diagnostics& problems) {
  for (Diagnostic p : found.all()) {
    if (p.code == "rule" && same(p.place, body.place)) place_rule(body, view, p);
    if (p.code == "rule" && p.hint.empty()) p.hint = fmt::format("see streamd docs {}", view.type);
    if (p.code == "missing-key" && same(p.place, body.place) && p.hint.starts_with("add "))
      if (const FieldView* field = field_of(view.fields, quoted_part(p.message)))
        p.hint += what_to_add(*field);
    if (p.code == "type-mismatch" && p.hint.empty())
      if (const FieldView* field = field_at(body, view.fields, p.place);
          field != nullptr && !example_of(*field).empty())
        p.hint = "write for example " + example_of(*field);
    if (p.code == "unknown-key" && view.kind == "source" && p.message == "unknown key \"input\"")
      p.hint = "a source reads no node: remove it, or make this an operator";
    else if (p.code == "unknown-key" && p.hint.starts_with("known keys"))
      if (std::string meant = value_as_key(quoted_part(p.message), view); !meant.empty())
        p.hint = std::move(meant);
    add(p, problems);
  }
}

void complete_fields(const ConfigNode* body, const Schema& in, const Diagnostics& found,
                     Diagnostics& problems) {
  for (Diagnostic p : found.all()) {
    if (p.code == "unknown-field") {
      const std::string name = quoted_part(p.message);
      const ConfigNode* at = body == nullptr ? nullptr : scalar_of(*body, name);
      if (at != nullptr && same(p.place, body->place)) p.place = at->place;
      if (p.hint.empty() && !in.open && !in.is_hidden(name) &&
          p.message.find("has no field") == std::string::npos) {
        std::vector<std::string> known;
        for (const auto& field : in.fields) known.push_back(field.name);
        const std::string near = closest(name, known);
        p.hint = near.empty() ? fields_there(in) : fmt::format("did you mean \"{}\"?", near);
      }
    }
    add(p, problems);
  }
}

}  // namespace streamd
