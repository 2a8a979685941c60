// SPDX-License-Identifier: Apache-2.0
// The static check: which types an operator or function takes and gives. Types that only the
// record can tell (Type::any) always pass. Internal to expr.
#pragma once

#include "engine/expr/ast.h"
#include "engine/expr/functions.h"

#include <optional>
#include <string>
#include <vector>

namespace streamd::expr {

struct TypedText {
  Type type = Type::any;
  std::string text;  // as written, for hints
};
struct TypeProblem {
  std::string message;
  std::string hint;
};

// Result of an operator on operands of these types. nullopt: problem is filled. Operators: negate
// … in, and_, or_, ternary, select, index.
std::optional<Type> check_operator(Op op, const std::vector<TypedText>& operands,
                                   TypeProblem& problem);
std::optional<Type> check_call(const Function& function, const std::vector<TypedText>& args,
                               TypeProblem& problem);

}  // namespace streamd::expr
