// SPDX-License-Identifier: Apache-2.0
// Lines of lists: `value` or `value,comment`. `#` and `;` begin a comment, at the start of a line
// or after white space. Pure; safe on any bytes.
#pragma once

#include "engine/match/indicator_list.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace streamd {

enum class ListEntries { automatic, ip, domain, text };
IndicatorKind kind_of(ListEntries entries);

struct ListLine {
  std::string_view value;    // empty: nothing on this line
  std::string_view comment;  // behind the comma, or after # or ;
};
ListLine split_list_line(std::string_view line);

// What could not be used of a list, for one sentence in the log.
class BrokenLines {
 public:
  // What they are called, many and one.
  explicit BrokenLines(const char* many = "lines", const char* one = "line")
      : many_(many), one_(one) {}
  // `number`: from 1. Texts are cut and cleaned of control characters.
  void add(std::size_t number, std::string_view value, std::string_view why);
  std::size_t count() const { return count_; }
  // `2 of 120 lines could not be used: line 7: "10.0.0.300" is no address or network; …`
  std::string text(std::size_t all) const;

 private:
  const char* many_;
  const char* one_;
  std::size_t count_ = 0;
  std::string first_;
};

}  // namespace streamd
