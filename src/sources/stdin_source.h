// SPDX-License-Identifier: Apache-2.0
// Records by line from a descriptor that cannot be read twice: a pipe, a terminal.
#pragma once

#include "engine/api/source.h"

#include <memory>

namespace streamd {

// Reads `descriptor` (not owned) to its end on worker 0; other workers have nothing. Positions only
// number the records, differently in each run (arrival_numbers.h): what was read before a crash
// does not come back.
std::unique_ptr<Source> open_line_stream(int descriptor, SourceContext context);

}  // namespace streamd
