// SPDX-License-Identifier: Apache-2.0
// nginx log_format strings: $variables between literals. Private to codec/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

struct LogFormat {
  struct Variable {
    std::string name;     // without $
    std::string after;    // the literal behind it; empty only for the last one
    bool quoted = false;  // stands between double quotes: \" inside does not end it
  };
  std::string before;  // the literal in front of the first variable
  std::vector<Variable> variables;
  std::string trouble;  // empty: the format is good
  std::size_t trouble_at = 0;
};
LogFormat parse_log_format(std::string_view text);

// Cuts a line; `values` gets one slice per variable. False: `wrong_at` is the byte at which the
// line stops to fit, `expected` the literal that should follow (a slice of `format`).
bool cut_line(const LogFormat& format, std::string_view line, std::vector<std::string_view>& values,
              std::size_t& wrong_at, std::string_view& expected);

}  // namespace streamd
