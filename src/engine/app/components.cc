// SPDX-License-Identifier: Apache-2.0
#include "engine/app/components.h"

#include "enrich/builtin_enrich.h"
#include "lists/builtin_lists.h"
#include "operators/builtin_operators.h"
#include "sinks/builtin_sinks.h"
#include "sources/builtin_sources.h"

namespace streamd {

Registry builtin_registry() {
  Registry registry;
  add_builtin_sources(registry);
  add_builtin_lists(registry);
  add_builtin_operators(registry);
  add_enrich_operator(registry);
  add_builtin_sinks(registry);
  return registry;
}

}  // namespace streamd
