// SPDX-License-Identifier: Apache-2.0
// The window operator, for builtin_operators.cc and for tests that want it alone.
#pragma once

namespace streamd {

class Registry;

void add_window_operator(Registry& registry);

}  // namespace streamd
