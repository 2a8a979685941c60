// SPDX-License-Identifier: Apache-2.0
// Internal to expr; append_printed() is in template.h.
#pragma once

#include <string>

namespace streamd::expr {

// The shortest text that reads back as the same number; NaN, Infinity, -Infinity.
void append_double(double d, std::string& out);

}  // namespace streamd::expr
