// SPDX-License-Identifier: Apache-2.0
// `streamd test --update`: the expectations of a test file rewritten to what came. Rows that are as
// expected, comments and everything else stay byte by byte as they were. Pure.
#pragma once

#include "engine/testing/case_run.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::testing {

struct Update {
  std::string text;
  std::size_t changed = 0;        // expectations
  std::vector<std::string> left;  // what could not be rewritten, and why
};

// `runs`: of the cases of the file whose content `text` is.
Update update_expectations(std::string_view text, const std::vector<const CaseRun*>& runs);

}  // namespace streamd::testing
