// SPDX-License-Identifier: Apache-2.0
// What the adapters of all kinds of components share: a component's settings as read and checked,
// and the surroundings of its instances.
#pragma once

#include "engine/api/operator.h"
#include "engine/api/shared.h"
#include "plugin/columns.h"
#include "plugin/library.h"
#include "plugin/options.h"
#include "plugin/task.h"

#include <memory>
#include <string>
#include <vector>

namespace streamd::plugin {

// Const once read, shared by all instances.
struct Settings {
  std::string plugin;  // as messages name it
  std::string type;
  Place place;
  Options options;
  InputColumns columns;
};

// How messages name a plugin: plugin "x" (path).
std::string name_of(const Library& library);

// Reads the node's fields and asks the plugin's own check. Null: something is wrong and reported.
// `node`: its keys are known to be known.
std::shared_ptr<Settings> read_settings(const Library& library, const sd_spec& spec, sd_check check,
                                        const ConfigNode& node, Diagnostics& problems);

// The same for a node whose keys are those of `own` and `also`; reports others.
std::shared_ptr<Settings> read_node(const Library& library, const sd_spec& spec, sd_check check,
                                    const SpecView& own, const ConfigNode& node,
                                    std::vector<const SpecView*> also, Diagnostics& problems);

// The surroundings of an instance; the contexts of operators, sources and sinks have the same
// members.
template <class Context>
Task::Surroundings around(const Settings& settings, const Context& context, unsigned worker) {
  Task::Surroundings around{settings.plugin, context.node, worker, context.clock, context.log, {}};
  if (context.shared != nullptr && context.clock != nullptr && context.log)
    around.watch = context.shared->template get_or_make<CallWatch>(
        "plugin calls", [&] { return std::make_shared<CallWatch>(*context.clock, context.log); });
  return around;
}

// What is wrong with a value that a plugin made; empty: nothing. Looks into lists and maps.
std::string wrong_with(const Value& value, int depth = 0);

}  // namespace streamd::plugin
