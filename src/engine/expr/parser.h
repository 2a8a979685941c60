// SPDX-License-Identifier: Apache-2.0
// CEL text to syntax tree. Macros become nodes of their own; calls with a namespace
// (`math.greatest(…)`) become plain calls. Names of functions are not checked here.
#pragma once

#include "engine/expr/ast.h"
#include "engine/expr/lexer.h"

#include <string_view>

namespace streamd::expr {

// Fills into.root; literals go to into.arena. False: error is filled.
bool parse_text(std::string_view text, ParsedExpression& into, SyntaxError& error);

}  // namespace streamd::expr
