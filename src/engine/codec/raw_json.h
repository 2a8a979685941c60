// SPDX-License-Identifier: Apache-2.0
// Walking a JSON object or array byte by byte to copy its members. Private to codec/. Safe on any
// bytes. Values are cut out, not checked: what is inside may still be broken.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// One member of an object: slices of the text.
struct RawMember {
  std::string_view key;    // between its quotes, escapes as they are
  std::string_view whole;  // from the key's quote to the end of the value
  std::string_view value;
};

// What both have in common.
class RawWalk {
 public:
  // After next() gave nullopt: the text ended before its bracket, or something else is wrong.
  bool broken() const { return broken_; }
  // After next() gave nullopt and nothing is broken: what follows the closing bracket.
  std::string_view rest() const { return text_.substr(std::min(at_ + 1, text_.size())); }

 protected:
  RawWalk(std::string_view text, char opening);
  void skip_space();
  bool skip_string();
  bool skip_value();
  // Up to the next member; false: there is none (at the closing bracket), or the text is broken.
  bool step(char closing);

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_ = true;
  bool broken_ = false;
};

class RawMembers : private RawWalk {
 public:
  // `object`: from "{" to "}", white space around it allowed.
  explicit RawMembers(std::string_view object) : RawWalk(object, '{') {}
  // nullopt: no more members, or broken text.
  std::optional<RawMember> next();
  using RawWalk::broken;
  using RawWalk::rest;
};

class RawItems : private RawWalk {
 public:
  // `array`: from "[" to "]", white space around it allowed.
  explicit RawItems(std::string_view array) : RawWalk(array, '[') {}
  // nullopt: no more items, or broken text.
  std::optional<std::string_view> next();
  using RawWalk::broken;
  using RawWalk::rest;
};

// Whether the key, as it stands between its quotes, is `name`.
bool key_is(std::string_view raw_key, std::string_view name);

// Appends valid JSON on one line: line breaks, which can only stand between tokens, are left out.
void append_one_line(std::string_view json, std::string& out);

}  // namespace streamd
