// SPDX-License-Identifier: Apache-2.0
// A plugin inside the test program, without dlopen: what the adapters are tried with.
#pragma once

#include "engine/api/registry.h"
#include "engine/expr/function_scope.h"
#include "plugin/library.h"

#include <functional>
#include <string>
#include <vector>

namespace streamd::test {

// What the subject's source and sink do, and what was asked of them.
struct SubjectWorld {
  std::vector<std::string> feed;          // of the source, numbered from 0
  bool endless = false;                   // idle instead of end
  int refusals = 0;                       // so many calls answer SD_RETRY first
  std::vector<std::string> acknowledged;  // positions
  std::vector<std::string> written;       // by the sink: id, value of its column, whole record
  std::size_t durable = 0;                // of them, after flush()
  int closed = 0;
};
SubjectWorld& subject_world();

// Operators `doubled` (adds x twice as `as`), `visits` (keyed; a result per key and visit), `odd`
// (does what its option `how` says, all of it wrong), source `feed`, sink `keep`, functions twice()
// and shout().
plugin::Library subject();
Registry subject_registry();

}  // namespace streamd::test
