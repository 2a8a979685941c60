// SPDX-License-Identifier: Apache-2.0
// What to say to somebody who names a list that the pipeline does not declare.
#pragma once

#include "engine/match/list_slot.h"

#include <string>

namespace streamd {

// "the lists here are a, b"; how to declare one when there are none. `scope` may be null.
std::string known_lists(const ListScope* scope);
// The name that was meant, or known_lists().
std::string unknown_list_hint(const ListScope* scope, const std::string& name);

}  // namespace streamd
