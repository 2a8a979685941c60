// SPDX-License-Identifier: Apache-2.0
// What a text that is no YAML was probably meant to be. The parser says where it gave up; the
// mistake often stands before that: a bracket or a quote that is open, a line without its colon.
#pragma once

#include "engine/api/diagnostics.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// What is open at byte `at` of the text: the last bracket or quote that nothing closes before.
struct OpenSign {
  char sign = 0;  // one of [ { " '
  Place place;    // line and column; the file is not set
};
std::optional<OpenSign> open_sign(std::string_view text, std::size_t at);

// False: a text in quotes begins at the place, and nothing closes it.
bool is_closed_quote(std::string_view text, const Place& begin);

// The message and the remedy for a syntax error, and a better place for it where there is one.
struct SyntaxProblem {
  Place place;
  std::string message;
  std::string hint;
};
// `told`: what the parser says.
SyntaxProblem explain_syntax(std::string_view text, const Place& place, const std::string& told);

}  // namespace streamd
