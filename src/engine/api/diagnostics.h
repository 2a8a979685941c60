// SPDX-License-Identifier: Apache-2.0
// Places in pipeline files and the problems found there. Everything that looks at configuration
// adds to one Diagnostics, so that the user sees every mistake at once. Plain data; config/ renders
// it with the line, a caret and the fix.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace streamd {

// 1-based; line 0 = no place (command line, environment). Columns count bytes.
struct Place {
  std::uint32_t file = 0;  // index into the list of loaded files
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 1;  // how much to underline
};

enum class Severity : std::uint8_t { warning, error };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;  // stable, kebab-case, searchable: unknown-key, type-mismatch, cycle, …
  Place place;
  std::string message;  // what is wrong: lower case, user input in double quotes, no full stop
  std::string hint;     // what to do: one sentence, may be empty
};

class Diagnostics {
 public:
  void error(std::string code, Place place, std::string message, std::string hint = {}) {
    list_.push_back({Severity::error, std::move(code), place, std::move(message), std::move(hint)});
    ++errors_;
  }
  void warning(std::string code, Place place, std::string message, std::string hint = {}) {
    list_.push_back(
        {Severity::warning, std::move(code), place, std::move(message), std::move(hint)});
  }
  std::size_t errors() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return list_; }

 private:
  std::vector<Diagnostic> list_;
  std::size_t errors_ = 0;
};

// The closest of `known` to `given` for "did you mean", or "" when nothing is close.
std::string closest(const std::string& given, const std::vector<std::string>& known);

}  // namespace streamd
