// SPDX-License-Identifier: Apache-2.0
// Library: a plugin's file, opened and judged before anything of it is used. Never closed: what it
// brought may be in use until the process ends. Main thread.
#pragma once

#include "engine/core/error.h"
#include "plugin/abi.h"

#include <string>

namespace streamd::plugin {

struct Library {
  std::string path;  // as it was given
  std::string real;  // without links: the same for the same file
  const sd_plugin* table = nullptr;

  std::string name() const { return std::string(from_abi(table->name)); }
  std::string version() const { return std::string(from_abi(table->version)); }
};

// Fails with the reason and what to do: no file, a file that others may change, no shared library,
// another architecture, a library that misses something, the symbol missing, another ABI, a table
// that makes no sense. Code of a file runs only after the file itself was found good.
Result<Library> open_library(const std::string& path);

// What is wrong with a table; empty: nothing. For open_library and tests.
std::string wrong_with(const sd_plugin* table);

}  // namespace streamd::plugin
