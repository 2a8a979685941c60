// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/doubts.h"

#include "engine/api/spec.h"
#include "engine/plan/remedies.h"

#include <algorithm>

namespace streamd {
namespace {

// A number, a duration, a size or a bool names no field.
bool may_name_fields(const ConfigNode& value) {
  if (value.shape != ConfigNode::Shape::scalar) return value.shape != ConfigNode::Shape::null;
  return value.text != "true" && value.text != "false" &&
         (value.text.empty() || value.text[0] < '0' || value.text[0] > '9');
}

bool mentions(const Doubts& doubts, const std::string& name) {
  const auto in = [&](const ConfigNode& value) { return scalar_of(value, name) != nullptr; };
  for (const auto& [key, value] : doubts.settings.entries)
    if (has(doubts.keys, key.text) && in(value)) return true;
  return in(doubts.unknown);
}

}  // namespace

Doubts read_keys(const ConfigNode& body, const std::vector<const SpecView*>& views,
                 Diagnostics& problems) {
  Doubts doubts;
  doubts.settings = body;
  doubts.unknown.shape = ConfigNode::Shape::map;
  reject_unknown_keys(doubts.settings, views, problems);
  std::vector<std::string> known;
  for (const SpecView* view : views)
    for (const auto& field : view->fields) known.push_back(field.name);
  std::erase_if(doubts.settings.entries, [&](const ConfigEntry& entry) {
    if (has(known, entry.first.text)) return false;
    if (may_name_fields(entry.second)) doubts.unknown.entries.push_back(entry);
    return true;
  });
  doubts.fields = !doubts.unknown.entries.empty();
  return doubts;
}

void doubt(const std::vector<std::string>& keys, const SpecView& view, Doubts& doubts) {
  for (const auto& field : view.fields) {
    if (!has(keys, field.name)) continue;
    doubts.keys.push_back(field.name);
    doubts.fields = doubts.fields || field.names_fields;
    doubts.required = doubts.required || field.required;
  }
}

void leave_out_consequences(const Doubts& doubts, const Diagnostics& found, Diagnostics& problems) {
  if (!doubts.any()) {
    for (const auto& p : found.all()) add(p, problems);
    return;
  }
  Diagnostics of_others;
  for (const auto& p : found.all())
    if (p.code != "unknown-field" || !mentions(doubts, quoted_part(p.message))) add(p, of_others);
  report_about_values(doubts.settings, doubts.keys, of_others, problems);
}

bool add_what_is_meant(const Diagnostics& found, const Schema& in, Schema& out) {
  for (const auto& p : found.all()) {
    if (p.severity != Severity::error || p.code != "unknown-field") continue;
    const std::string name = quoted_part(p.message);
    if (!out.find(name) || in.find(name)) continue;
    const std::string meant = quoted_part(p.hint);
    if (meant.empty()) return false;
    if (!out.find(meant)) out.fields.push_back({meant, Type::any, true});
  }
  return true;
}

}  // namespace streamd
