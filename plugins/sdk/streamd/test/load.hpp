// SPDX-License-Identifier: Apache-2.0
// Plugins from shared libraries, and what is in them by name.
#pragma once

#include "../value.hpp"

#include <dlfcn.h>
#include <stdexcept>

namespace sd::test {

// A plugin from a shared library, as the engine loads it.
inline const sd_plugin* load(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  void* symbol = dlsym(library, "streamd_plugin");
  if (symbol == nullptr) throw std::runtime_error(path + " has no streamd_plugin()");
  const sd_plugin* plugin = reinterpret_cast<const sd_plugin* (*)()>(symbol)();
  if (plugin == nullptr) throw std::runtime_error(path + ": streamd_plugin() gave no table");
  return plugin;
}

namespace detail {

// The one of `count` tables whose name is `name`.
template <class Table, class Name>
const Table& find(const Table* const* tables, std::uint32_t count, std::string_view name,
                  Name&& name_of) {
  for (std::uint32_t i = 0; i < count; ++i)
    if (sd::text(name_of(*tables[i])) == name) return *tables[i];
  throw std::invalid_argument("the plugin has no " + std::string(name));
}

}  // namespace detail
}  // namespace sd::test
