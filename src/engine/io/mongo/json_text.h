// SPDX-License-Identifier: Apache-2.0
// The tokens of JSON text (RFC 8259) that is valid UTF-8. Private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::mongo {

class JsonText {
 public:
  explicit JsonText(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  std::size_t offset() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }
  // NUL at the end: no token begins with it.
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void take() { ++at_; }
  bool accept(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view w) {
    if (!rest().starts_with(w)) return false;
    at_ += w.size();
    return true;
  }
  void skip_space() {
    while (!at_end() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }
  // Appends the text between the quotes. False: broken.
  bool string(std::string& out);
  // As it stands; empty: no number. integral: without point and exponent.
  std::string_view number(bool& integral);

 private:
  bool escape(std::string& out);
  bool hex4(std::uint32_t& code);
  bool digits();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace streamd::mongo
