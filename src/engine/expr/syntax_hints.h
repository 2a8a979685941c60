// SPDX-License-Identifier: Apache-2.0
// What to do where an expression goes on in a way that it cannot. Internal to expr.
#pragma once

#include "engine/expr/lexer.h"

#include <string>
#include <string_view>

namespace streamd::expr {

// `here` stands where `wanted` should; `before`: what stands in front of it, null at the beginning.
std::string syntax_hint(const Lexeme& here, const Lexeme* before, std::string_view wanted);

}  // namespace streamd::expr
