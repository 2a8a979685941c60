// SPDX-License-Identifier: Apache-2.0
// From the tree of a pipeline file to its Plan: the one path that `check`, `run` and `test` take.
#pragma once

#include "engine/api/registry.h"
#include "engine/plan/plan.h"

#include <optional>
#include <vector>

namespace streamd {

// Pure: opens nothing, reads no clock. Reports every mistake of the document at once, none twice;
// nullopt when there was one. Warnings may come with a plan. The plan does not refer to `document`.
std::optional<Plan> build_plan(const ConfigNode& document, const Registry& registry,
                               Diagnostics& problems);

// Several files without mistakes of their own, in the order given: one plan for each job that they
// make (joint.h). What is wrong only together (two sinks that write to one place) is reported.
std::vector<Plan> build_jobs(const std::vector<ConfigNode>& documents, const Registry& registry,
                             Diagnostics& problems);

}  // namespace streamd
