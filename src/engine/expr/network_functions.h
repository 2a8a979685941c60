// SPDX-License-Identifier: Apache-2.0
// The one network kernel that shares its name with a string function: cidr.contains(ip).
#pragma once

#include "engine/core/value.h"

namespace streamd::expr {

struct Call;
Value network_contains(const Call& call);  // the receiver is a cidr

}  // namespace streamd::expr
