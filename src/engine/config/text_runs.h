// SPDX-License-Identifier: Apache-2.0
// Where the characters of a scalar stand in its file. YAML folds lines, takes off indentation and
// resolves escapes; an error inside of an expression still has to point at what the user wrote.
#pragma once

#include "engine/api/config_node.h"

#include <string_view>
#include <vector>

namespace streamd {

// source: the file from the first character of the scalar (its quote, or the | or > of a block) to
// the end. begin: the place of that character. value: what the parser made of it.
// Empty when the two can't be brought together.
std::vector<TextRun> text_runs(std::string_view source, const Place& begin, std::string_view value);

}  // namespace streamd
