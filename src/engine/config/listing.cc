// SPDX-License-Identifier: Apache-2.0
#include "engine/config/reference.h"
#include "engine/expr/function_scope.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

constexpr std::size_t kWidest = 50;  // what is wider stands out

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

// "" of what is built in.
std::string from_plugin(const std::string& plugin) {
  return plugin.empty() ? "" : fmt::format(" (plugin {})", plugin);
}

std::vector<expr::AddedFunction> added_functions(const Registry& registry) {
  if (!registry.functions()) return {};
  const auto& all = registry.functions()->all();
  return {all.begin(), all.end()};
}

std::string built_in_json(const expr::Function& function) {
  return fmt::format(
      R"({{"kind":"function","type":{},"summary":{},"signature":{},"example":{},"plugin":null,)"
      R"("min_args":{},"max_args":{}}})",
      json_quote(std::string(function.name)), json_quote(std::string(function.help)),
      json_quote(signature(function)), json_quote(std::string(function.example)), function.min_args,
      function.max_args);
}

// Of all that are built in, each in a line.
std::string function_table() {
  std::size_t width = 0;
  for (const auto& group : expr::function_groups())
    for (const auto& function : group.functions)
      if (const auto size = signature(function).size(); size < kWidest)
        width = std::max(width, size);
  std::string out;
  for (const auto& group : expr::function_groups())
    for (const auto& function : group.functions)
      out += fmt::format("function  {:<{}}  {}\n", signature(function), width, function.help);
  return out;
}

std::string function_json(const expr::AddedFunction& function) {
  return fmt::format(
      R"({{"kind":"function","type":{},"summary":{},"plugin":{},"min_args":{},"max_args":{}}})",
      json_quote(function.name), json_quote(function.summary), json_quote(function.plugin),
      function.min_args, function.max_args);
}

std::string view_json(const SpecView& view) {
  const auto example = [](const ExampleView& e) {
    return fmt::format(R"({{"title":{},"yaml":{}}})", json_quote(e.title), json_quote(e.yaml));
  };
  return fmt::format(
      R"({{"kind":{},"type":{},"summary":{},"details":{},"promise":{},"plugin":{},"fields":{},)"
      R"("rules":{},"examples":{}}})",
      json_quote(view.kind), json_quote(view.type), json_quote(view.summary),
      json_quote(view.details), json_quote(view.promise),
      view.plugin.empty() ? "null" : json_quote(view.plugin), json_array(view.fields, field_json),
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
  std::string out = kind == "function" ? function_table() : "";
  for (const auto& view : views)
    out += fmt::format("{:<8}  {:<{}}  {}{}\n", view.kind, view.type, width, view.summary,
                       from_plugin(view.plugin));
  if (kind.empty() || kind == "function")
    for (const auto& function : added_functions(registry))
      out += fmt::format("function  {:<{}}  {}{}\n", function.name, width, function.summary,
                         from_plugin(function.plugin));
  return out;
}

std::string list_json(const Registry& registry, const std::string& kind) {
  if (kind != "function") return json_array(all_views(registry, kind), view_json) + "\n";
  std::vector<std::string> all;
  for (const auto& group : expr::function_groups())
    for (const auto& function : group.functions) all.push_back(built_in_json(function));
  for (const auto& function : added_functions(registry)) all.push_back(function_json(function));
  return json_array(all, [](const std::string& text) { return text; }) + "\n";
}

std::string plugin_json(const Registry& registry, const std::string& name,
                        const std::string& version) {
  auto views = all_views(registry);
  std::erase_if(views, [&](const SpecView& view) { return view.plugin != name; });
  auto functions = added_functions(registry);
  std::erase_if(functions, [&](const auto& function) { return function.plugin != name; });
  return fmt::format(R"({{"name":{},"version":{},"components":{},"functions":{}}})"
                     "\n",
                     json_quote(name), json_quote(version), json_array(views, view_json),
                     json_array(functions, function_json));
}

}  // namespace streamd
