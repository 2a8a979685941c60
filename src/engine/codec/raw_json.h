// SPDX-License-Identifier: Apache-2.0
// Walking a JSON object byte by byte to copy its members. Private to codec/. Safe on any bytes.
#pragma once

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

class RawMembers {
 public:
  // `object`: from "{" to "}", white space around it allowed.
  explicit RawMembers(std::string_view object);
  // nullopt: no more members, or broken text.
  std::optional<RawMember> next();
  bool broken() const { return broken_; }

 private:
  void skip_space();
  bool skip_string();
  bool skip_value();

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_ = true;
  bool broken_ = false;
};

// Whether the key, as it stands between its quotes, is `name`.
bool key_is(std::string_view raw_key, std::string_view name);

// Appends valid JSON on one line: line breaks, which can only stand between tokens, are left out.
void append_one_line(std::string_view json, std::string& out);

}  // namespace streamd
