// SPDX-License-Identifier: Apache-2.0
// Syntax tree + schema -> bound nodes. Internal to expr.
#pragma once

#include "engine/core/schema.h"
#include "engine/expr/node.h"

#include <set>
#include <string>

namespace streamd::expr {

// Null when a problem was reported.
std::shared_ptr<const CompiledProgram> bind_tree(std::shared_ptr<const ParsedExpression> parsed,
                                                 const Schema& in, Diagnostics& problems);
void collect_fields(const ParsedExpression& parsed, std::set<std::string>& into);

}  // namespace streamd::expr
