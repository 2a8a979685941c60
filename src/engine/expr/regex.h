// SPDX-License-Identifier: Apache-2.0
// Regex: a regular expression of RE2 for components that take texts apart. Time is linear in the
// text whatever the pattern. Cheap to copy; const, any thread.
#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace streamd::expr {

class Regex {
 public:
  // What RE2 says of a pattern that it does not take, and the piece of the pattern that it means.
  struct Problem {
    std::string message;
    std::string piece;
  };
  static tl::expected<Regex, Problem> compile(std::string_view pattern);

  // Parentheses that capture.
  std::size_t groups() const { return groups_; }
  // Finds the first match anywhere in the text. groups[0] is the match, groups[1] what the first
  // parenthesis captured, up to `count` of them; data() == nullptr: it took no part. They are
  // slices of the text. Needs not be UTF-8: bytes that are none match nothing but themselves.
  bool search(std::string_view text, std::string_view* groups, std::size_t count) const;

 private:
  std::shared_ptr<const re2::RE2> pattern_;
  std::size_t groups_ = 0;
};

}  // namespace streamd::expr
