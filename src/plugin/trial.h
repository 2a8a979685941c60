// SPDX-License-Identifier: Apache-2.0
// `streamd plugin test`: a plugin's components meet what users will bring them, without a pipeline.
// Operators and functions are run on odd records; of sources and sinks, which would reach out to
// the world, only the settings are tried.
#pragma once

#include "engine/api/registry.h"
#include "engine/expr/function_scope.h"

#include <functional>
#include <string>

namespace streamd::plugin {

// what: "operator x: a batch of records without any field". The status says why it failed.
using Tell = std::function<void(const std::string& what, const Status& result)>;

// `example`: the settings of the component's own example, which must be accepted.
void try_component(const Registry& registry, const SpecView& view, const ConfigNode& example,
                   const Tell& tell);
void try_function(const expr::AddedFunction& function, const Tell& tell);

}  // namespace streamd::plugin
