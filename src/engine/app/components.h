// SPDX-License-Identifier: Apache-2.0
// The composition root's list: every component that is part of the binary.
#pragma once

#include "engine/api/registry.h"

namespace streamd {

Registry builtin_registry();

}  // namespace streamd
