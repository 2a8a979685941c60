// SPDX-License-Identifier: Apache-2.0
// What an earlier shape of the pipeline has left in its state folder.
#pragma once

#include "engine/plan/plan.h"
#include "engine/runtime/log.h"

#include <string>

namespace streamd {

// Warns of each sink that is gone while records still wait for it: they stay where they are
// (<folder>/outbox/<sink>, as SinkContext::state_dir promises sinks a place), and whoever puts the
// sink back has them delivered. Called once at the start, by the control thread.
void warn_of_forgotten_outboxes(const Plan& plan, const std::string& folder, const LogFn& log);

}  // namespace streamd
