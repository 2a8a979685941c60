// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/logging.h"
#include "engine/config/reference.h"
#include "engine/config/yaml.h"
#include "engine/expr/function_scope.h"
#include "plugin/library.h"
#include "plugin/load.h"
#include "plugin/trial.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

namespace streamd {
namespace {

struct Opened {
  plugin::Library library;
  Registry registry;  // with what it brings
};

// The plugin beside all that is known; nullopt: it was refused, which was told.
std::optional<Opened> open(const std::string& file, const Registry& registry) {
  auto library = plugin::open_library(file);
  if (!library) {
    print_error(library.error());
    return std::nullopt;
  }
  Opened opened{std::move(*library), registry};
  if (const Status added = plugin::add_library(opened.library, opened.registry); !added) {
    print_error(added.error());
    return std::nullopt;
  }
  return opened;
}

template <class Visit>
void each_view(const Opened& opened, Visit visit) {
  for (const SpecView& view : all_views(opened.registry))
    if (view.plugin == opened.library.name()) visit(view);
}

void print_view(const SpecView& view) {
  fmt::print("\n{} {}: {}\n", view.kind, view.type, view.summary);
  std::size_t width = 0;
  for (const auto& field : view.fields) width = std::max(width, field.name.size());
  for (const auto& field : view.fields)
    fmt::print("  {:<{}}  {}; {}{}\n", field.name, width, field.type, field.help,
               field.required           ? " Required."
               : field.fallback.empty() ? ""
                                        : fmt::format(" Default: {}.", field.fallback));
}

ConfigNode example_of(const SpecView& view) {
  Diagnostics problems;
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  if (view.examples.empty()) return node;
  auto document = parse_yaml(view.examples.front().yaml, 0, {}, problems);
  return document && document->shape == ConfigNode::Shape::map ? std::move(*document) : node;
}

}  // namespace

int plugin_info(const PluginArguments& arguments, const Registry& registry) {
  const auto opened = open(arguments.file, registry);
  if (!opened) return kExitUsage;
  const plugin::Library& library = opened->library;
  if (arguments.json) {
    fmt::print("{}", plugin_json(opened->registry, library.name(), library.version()));
    return kExitDone;
  }
  fmt::print("plugin {} {}, ABI {}\n{}\n", library.name(), library.version(), library.table->abi,
             library.real);
  each_view(*opened, print_view);
  for (const auto& function : opened->registry.functions()->all())
    if (function.plugin == library.name())
      fmt::print("\nfunction {}(): {}\n", function.name, function.summary);
  return kExitDone;
}

int plugin_test(const PluginArguments& arguments, const Registry& registry) {
  const auto opened = open(arguments.file, registry);
  if (!opened) return kExitUsage;
  std::size_t failed = 0, tried = 0;
  const auto tell = [&](const std::string& what, const Status& result) {
    ++tried;
    if (result) {
      fmt::print("ok      {}\n", what);
      return;
    }
    ++failed;
    fmt::print("FAILED  {}\n        {}\n", what, result.error().message);
  };
  each_view(*opened, [&](const SpecView& view) {
    plugin::try_component(opened->registry, view, example_of(view), tell);
  });
  for (const auto& function : opened->registry.functions()->all())
    if (function.plugin == opened->library.name()) plugin::try_function(function, tell);
  fmt::print("{} of {} passed\n", tried - failed, tried);
  return failed == 0 ? kExitDone : kExitFailed;
}

}  // namespace streamd
