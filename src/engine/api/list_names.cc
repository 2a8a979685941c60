// SPDX-License-Identifier: Apache-2.0
#include "engine/api/list_names.h"

#include "engine/api/diagnostics.h"

namespace streamd {

std::string known_lists(const ListScope* scope) {
  std::string all;
  if (scope != nullptr)
    for (const auto& name : scope->names()) all += (all.empty() ? "" : ", ") + name;
  return all.empty() ? "declare it below lists:" : "the lists here are " + all;
}

std::string unknown_list_hint(const ListScope* scope, const std::string& name) {
  const std::string near = scope == nullptr ? "" : closest(name, scope->names());
  return near.empty() ? known_lists(scope) : "did you mean \"" + near + "\"?";
}

}  // namespace streamd
