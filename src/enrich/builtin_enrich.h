// SPDX-License-Identifier: Apache-2.0
// Operator enrich. It has a folder of its own because it is the one operator that talks to a
// network: src/operators/ sees none.
#pragma once

#include "engine/api/registry.h"

namespace streamd {

void add_enrich_operator(Registry& registry);

}  // namespace streamd
