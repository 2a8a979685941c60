// SPDX-License-Identifier: Apache-2.0
// Why a case fails, in words: which row is missing, which was not expected, which field differs.
#pragma once

#include "engine/testing/case_run.h"

#include <string>
#include <vector>

namespace streamd::testing {

struct Finding {
  Place place;                     // in the test file; line 0: of the case as a whole
  std::string title;               // "goal1: 1 row is missing"
  std::vector<std::string> lines;  // the diff, each line with its sign
};

// None: the case passes. `the_case` is what `run` came from.
std::vector<Finding> findings_of(const CaseRun& run, const Case& the_case);

}  // namespace streamd::testing
