// SPDX-License-Identifier: Apache-2.0
// Grok: patterns such as %{IP:client} %{NUMBER:took:double} as one regular expression, and regular
// expressions with named parentheses. Compiled once, const, any thread.
//
// A reference is %{NAME}, %{NAME:field} or %{NAME:field:type}; type: int, double (also float, long)
// or string. A field may be written [a][b], which is a.b. (?<field>…) and (?P<field>…) capture too;
// other parentheses only group. Of two captures of one field the first that took part counts.
#pragma once

#include "engine/codec/pattern_program.h"
#include "engine/expr/regex.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

struct GrokField {
  enum class Type : std::uint8_t { text, int64, float64 };
  std::string name;
  Type type = Type::text;
};

struct GrokProblem {
  static constexpr std::size_t kMain = static_cast<std::size_t>(-1);
  std::size_t pattern = kMain;  // the pattern itself, or the index of one's own
  std::size_t at = 0;           // the byte in its text where it is wrong
  std::size_t length = 1;
  std::string message, hint;
};

class Grok {
 public:
  // Memory of match(). One thread.
  struct Scratch {
    std::vector<std::string_view> groups;
    PatternScratch search;
  };
  using Patterns = std::vector<std::pair<std::string, std::string>>;  // name, pattern
  enum class Style : std::uint8_t { grok, regex };                    // regex: % is no reference

  // One's own patterns come before the standard ones. Every problem that can be found is told; the
  // result is empty() then.
  static Grok compile(std::string_view pattern, const Patterns& own, Style style,
                      std::vector<GrokProblem>& problems);

  bool empty() const { return fields_.empty(); }
  // In the order in which they stand in the pattern, each once.
  const std::vector<GrokField>& fields() const { return fields_; }
  // Finds the pattern anywhere in the text. values: one for each field, a slice of the text;
  // data() == nullptr: the field took no part.
  bool match(std::string_view text, std::string_view* values, Scratch& scratch) const;

 private:
  bool search(std::string_view text, Scratch& scratch) const;

  std::vector<GrokField> fields_;
  std::vector<std::size_t> field_of_;  // by group, from 0
  expr::Regex regex_;
  std::optional<PatternProgram> program_;  // what it doesn't know is left to regex_
};

}  // namespace streamd
