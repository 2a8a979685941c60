// SPDX-License-Identifier: Apache-2.0
// The last step of a window node that shares its windows with others: of the results that the
// common node gives (those that pass the `having` of any of them), the ones that pass its own,
// under its own name.
#pragma once

#include "engine/api/operator.h"
#include "engine/expr/expression.h"

#include <memory>
#include <optional>

namespace streamd::window {

// having: none passes everything.
std::unique_ptr<OperatorPlan> having_plan(std::optional<expr::Expression> having);

}  // namespace streamd::window
