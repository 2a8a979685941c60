// SPDX-License-Identifier: Apache-2.0
// What becomes of records for which a condition gives no answer.
#pragma once

#include "engine/api/emitter.h"
#include "engine/expr/expression.h"

#include <vector>

namespace streamd::expr {

// Each of them becomes a dead letter with code "expression". `failed`: what Program::select() gave
// for `in`, or some of it, in its order.
void reject_failed(const Batch& in, const std::vector<Program::Failure>& failed, Emitter& out);

}  // namespace streamd::expr
