// SPDX-License-Identifier: Apache-2.0
// Loading plugins into a registry. Main thread, before a pipeline is read.
#pragma once

#include "engine/api/registry.h"
#include "engine/core/error.h"
#include "plugin/library.h"

#include <string>
#include <vector>

namespace streamd::plugin {

// Adds what the plugin at `path` brings. A file that is there already is left alone. An error says
// why the plugin was refused (library.h; a name that is taken); nothing of it was added then.
Status add_plugin(const std::string& path, Registry& registry);

// The same for one that is open already.
Status add_library(const Library& library, Registry& registry);

// The plugins in a list of files and folders, separated by colons; of folders every *.so, by name.
// What does not exist is left out: $STREAMD_PLUGIN_PATH names places to look in.
std::vector<std::string> find_plugins(const std::string& search_path);

}  // namespace streamd::plugin
