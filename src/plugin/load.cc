// SPDX-License-Identifier: Apache-2.0
#include "plugin/load.h"

#include "engine/expr/function_names.h"
#include "plugin/adapters.h"
#include "plugin/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace streamd::plugin {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> taken(const Library& library, const std::string& what,
                            const std::string& by) {
  return fail(ErrorKind::plugin,
              fmt::format("plugin {} is not loaded: {} is there already, {}", library.path, what,
                          by.empty() ? "built in" : fmt::format("from plugin \"{}\"", by)),
              "Give it another name, or load only one of them.");
}

// Who has a type already; nullopt: nobody.
template <class Components>
std::optional<std::string> owner_of_type(const Components& components, std::string_view type) {
  for (const auto& known : components)
    if (known.view.type == type) return known.view.plugin;
  return std::nullopt;
}

template <class Component, class Known>
Status check_types(const Library& library, const char* kind, const Component* const* all,
                   std::uint32_t count, const Known& known) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string type(from_abi(all[i]->spec->type));
    const std::string what = fmt::format("{} \"{}\"", kind, type);
    if (const auto owner = owner_of_type(known, type)) return taken(library, what, *owner);
    for (std::uint32_t before = 0; before < i; ++before)
      if (from_abi(all[before]->spec->type) == type) return taken(library, what, library.name());
  }
  return {};
}

Status check_functions(const Library& library, const expr::FunctionScope& known) {
  const sd_plugin& table = *library.table;
  for (std::uint32_t i = 0; i < table.function_count; ++i) {
    const std::string name(from_abi(table.functions[i]->name));
    const std::string what = fmt::format("function {}()", name);
    if (!expr::is_free_for_function(name)) return taken(library, what, "");
    for (const auto& added : known.all())
      if (added.name == name) return taken(library, what, added.plugin);
    for (std::uint32_t before = 0; before < i; ++before)
      if (from_abi(table.functions[before]->name) == name)
        return taken(library, what, library.name());
  }
  return {};
}

}  // namespace

Status add_plugin(const std::string& path, Registry& registry) {
  const auto library = open_library(path);
  if (!library) return tl::unexpected(library.error());
  return add_library(*library, registry);
}

Status add_library(const Library& library, Registry& registry) {
  name_crashes();
  const auto& files = registry.plugin_files();
  if (std::find(files.begin(), files.end(), library.real) != files.end()) return {};

  const sd_plugin& table = *library.table;
  auto functions = registry.functions()
                       ? std::make_shared<expr::FunctionScope>(registry.functions()->copy())
                       : std::make_shared<expr::FunctionScope>();
  STREAMD_TRY(check_types(library, "operator", table.operators, table.operator_count,
                          registry.operators()));
  STREAMD_TRY(
      check_types(library, "source", table.sources, table.source_count, registry.sources()));
  STREAMD_TRY(check_types(library, "sink", table.sinks, table.sink_count, registry.sinks()));
  STREAMD_TRY(check_functions(library, *functions));

  for (std::uint32_t i = 0; i < table.operator_count; ++i)
    add_operator(library, *table.operators[i], registry);
  for (std::uint32_t i = 0; i < table.source_count; ++i)
    add_source(library, *table.sources[i], registry);
  for (std::uint32_t i = 0; i < table.sink_count; ++i) add_sink(library, *table.sinks[i], registry);
  for (std::uint32_t i = 0; i < table.function_count; ++i)
    add_function(library, *table.functions[i], *functions);
  registry.set_functions(std::move(functions));
  registry.add_plugin_file(library.real);
  return {};
}

std::vector<std::string> find_plugins(const std::string& search_path) {
  std::vector<std::string> found;
  std::string_view rest = search_path;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string place(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
    std::error_code error;
    if (fs::is_directory(place, error)) {
      std::vector<std::string> inside;
      for (const auto& entry : fs::directory_iterator(place, error))
        if (entry.path().extension() == ".so") inside.push_back(entry.path().string());
      std::sort(inside.begin(), inside.end());
      found.insert(found.end(), inside.begin(), inside.end());
    } else if (fs::exists(place, error)) {
      found.push_back(place);
    }
  }
  return found;
}

}  // namespace streamd::plugin
