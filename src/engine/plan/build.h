// SPDX-License-Identifier: Apache-2.0
// From the tree of a pipeline file to its Plan: the one path that `check`, `run` and `test` take.
#pragma once

#include "engine/api/registry.h"
#include "engine/plan/plan.h"

#include <optional>

namespace streamd {

// Pure: opens nothing, reads no clock. Reports every mistake of the document at once, none twice;
// nullopt when there was one. Warnings may come with a plan. The plan does not refer to `document`.
std::optional<Plan> build_plan(const ConfigNode& document, const Registry& registry,
                               Diagnostics& problems);

}  // namespace streamd
