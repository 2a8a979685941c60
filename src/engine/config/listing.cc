// SPDX-License-Identifier: Apache-2.0
#include "engine/config/reference.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

template <class Plan>
void add_views(const std::vector<Registered<Plan>>& components, const std::string& kind,
               std::vector<SpecView>& into) {
  const auto first = static_cast<std::ptrdiff_t>(into.size());
  for (const auto& component : components)
    if (kind.empty() || component.view.kind == kind) into.push_back(component.view);
  std::sort(into.begin() + first, into.end(),
            [](const SpecView& a, const SpecView& b) { return a.type < b.type; });
}

template <class Items, class Write>
std::string json_array(const Items& items, Write write) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ",") + write(item);
  return "[" + out + "]";
}

std::string field_json(const FieldView& field) {
  const auto flag = [](bool on) { return on ? "true" : "false"; };
  return fmt::format(
      R"({{"name":{},"help":{},"type":{},"default":{},"required":{},"secret":{},"advanced":{},)"
      R"("examples":{}}})",
      json_quote(field.name), json_quote(field.help), json_quote(field.type),
      field.fallback.empty() ? "null" : json_quote(field.fallback), flag(field.required),
      flag(field.secret), flag(field.advanced), json_array(field.examples, json_quote));
}

std::string view_json(const SpecView& view) {
  const auto example = [](const ExampleView& e) {
    return fmt::format(R"({{"title":{},"yaml":{}}})", json_quote(e.title), json_quote(e.yaml));
  };
  return fmt::format(
      R"({{"kind":{},"type":{},"summary":{},"details":{},"promise":{},"fields":{},"rules":{},)"
      R"("examples":{}}})",
      json_quote(view.kind), json_quote(view.type), json_quote(view.summary),
      json_quote(view.details), json_quote(view.promise), json_array(view.fields, field_json),
      json_array(view.rules, json_quote), json_array(view.examples, example));
}

}  // namespace

std::vector<SpecView> all_views(const Registry& registry, const std::string& kind) {
  std::vector<SpecView> views;
  add_views(registry.sources(), kind, views);
  add_views(registry.lists(), kind, views);
  add_views(registry.operators(), kind, views);
  add_views(registry.sinks(), kind, views);
  return views;
}

std::string list_table(const Registry& registry, const std::string& kind) {
  const auto views = all_views(registry, kind);
  std::size_t width = 0;
  for (const auto& view : views) width = std::max(width, view.type.size());
  std::string out;
  for (const auto& view : views)
    out += fmt::format("{:<8}  {:<{}}  {}\n", view.kind, view.type, width, view.summary);
  return out;
}

std::string list_json(const Registry& registry, const std::string& kind) {
  return json_array(all_views(registry, kind), view_json) + "\n";
}

}  // namespace streamd
