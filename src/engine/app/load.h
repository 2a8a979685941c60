// SPDX-License-Identifier: Apache-2.0
// From file names to plans, with every problem rendered for people.
#pragma once

#include "engine/api/registry.h"
#include "engine/plan/plan.h"

#include <optional>
#include <string>
#include <vector>

namespace streamd {

// One plan for each job that the files make: those with equal sources are one (plan/joint.h).
// Prints problems (warnings too) of all files to standard error; nullopt when there was an error.
// `secrets`: gets the secret values of all files.
std::optional<std::vector<Plan>> load_jobs(const std::vector<std::string>& files,
                                           const Registry& registry,
                                           std::vector<std::string>* secrets = nullptr);

// Gives a plan without `dead_letters:` the default: a size-capped file in the state folder.
void add_default_dead_letters(Plan& plan, const std::string& state_root, const Registry& registry);

}  // namespace streamd
