// SPDX-License-Identifier: Apache-2.0
// From a file name to a plan, with every problem rendered for people.
#pragma once

#include "engine/api/registry.h"
#include "engine/plan/plan.h"

#include <optional>
#include <string>

namespace streamd {

// Prints problems (warnings too) to standard error; nullopt when there was an error.
std::optional<Plan> load_plan(const std::string& file, const Registry& registry);

// Gives a plan without `dead_letters:` the default: a size-capped file in the state folder.
void add_default_dead_letters(Plan& plan, const std::string& state_root, const Registry& registry);

}  // namespace streamd
