// SPDX-License-Identifier: Apache-2.0
// Texts for people made of Progress: the progress line and the table at the end.
#pragma once

#include "engine/runtime/run.h"

#include <string>

namespace streamd {

// One line: rate since `before`, event time, lag, keys, results, dead letters.
std::string progress_line(const Progress& before, const Progress& now);
// A table with one row per node: in, out, dropped by reason, dead letters. Says so when the books
// of a node do not balance.
std::string final_table(const Progress& progress);

}  // namespace streamd
