// SPDX-License-Identifier: Apache-2.0
// Which names are left for functions that are not built in. Pure.
#pragma once

#include <string_view>

namespace streamd::expr {

// False for a name that an expression cannot call (a reserved word, true, in), for what looks like
// a call and is none (has, map), and for functions that are built in, of either style.
bool is_free_for_function(std::string_view name);

}  // namespace streamd::expr
