// SPDX-License-Identifier: Apache-2.0
// The kinds of lists that are part of the binary. Each is declared in its own file; this lists
// them.
#pragma once

#include "engine/api/registry.h"

namespace streamd {

void add_crowdsec_list(Registry& registry);
void add_file_list(Registry& registry);
void add_inline_list(Registry& registry);
void add_url_list(Registry& registry);

// All of them.
void add_builtin_lists(Registry& registry);

}  // namespace streamd
