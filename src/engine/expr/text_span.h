// SPDX-License-Identifier: Apache-2.0
// How far the texts of an expression go, for those who cut expressions out of something that
// stands around them. Pure; safe on any bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace streamd::expr {

inline bool of_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The word that ends before `at`; empty: none does.
inline std::string_view word_before(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && of_word(text[begin - 1])) --begin;
  return text.substr(begin, at - begin);
}

// Whether a word right before a quote says that backslashes in the text are nothing special.
inline bool says_raw(std::string_view word) {
  return word.size() <= 2 && word.find_first_not_of("rRbB") == std::string_view::npos &&
         word.find_first_of("rR") != std::string_view::npos;
}

// Behind the text, or the name in backquotes, whose first quote is at `at`; npos when it is not
// closed.
inline std::size_t text_end(std::string_view text, std::size_t at) {
  const char mark = text[at];
  if (mark == '`') {
    const std::size_t end = text.find(mark, at + 1);
    return end == std::string_view::npos ? end : end + 1;
  }
  const bool raw = says_raw(word_before(text, at));
  const std::string three(3, mark);
  const std::string_view quote = text.substr(at, text.substr(at, 3) == three ? 3 : 1);
  for (at += quote.size(); at < text.size(); ++at) {
    if (text.substr(at, quote.size()) == quote) return at + quote.size();
    if (text[at] == '\\' && !raw) ++at;
  }
  return std::string_view::npos;
}

}  // namespace streamd::expr
