// SPDX-License-Identifier: Apache-2.0
// Which names of a syntax tree are fields of the record. Internal to expr.
#pragma once

#include "engine/expr/ast.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace streamd::expr {

using Scopes = std::vector<std::string>;  // variables of comprehensions, innermost last

bool comprehension(Op op);
bool is_variable(const Ast& ast, const Scopes& scopes);
// Segments of a.b.c when it starts at a field and not at a variable.
std::optional<std::vector<std::string>> path_of(const Ast& ast, const Scopes& scopes);
bool starts_quoted(const Ast& ast);
// Names of types mean types where they are compared with what type(…) gives, and there only: the
// records may have fields called `type` or `list`.
void mark_type_names(Ast& root);
// The first `count` segments with dots between.
std::string joined(const std::vector<std::string>& segments, std::size_t count);

}  // namespace streamd::expr
