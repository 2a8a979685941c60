// SPDX-License-Identifier: Apache-2.0
// Dots, colons and at-signs as they stand in text that shall not be clicked on. Private to codec/.
//
// Each function gives the number of bytes of the sign that begins at text[at], 0 when there is
// none; the _before ones of the sign that ends there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace streamd {

enum TextClass : std::uint8_t {
  kTextHost = 1,   // letters, digits, - and _
  kTextLocal = 2,  // what may stand before an @ besides dots
  kTextHex = 4,
  kTextDigit = 8,
  kTextAlnum = 16,
  kTextUrlEnd = 32,   // blanks, quotes and what never stands in a URL, or begins such a sign
  kTextUrlSign = 64,  // what may begin a sign of a URL, or ends its host
  kTextTail = 128,    // what ends a sentence
};
inline constexpr std::array<std::uint8_t, 256> kTextClasses = [] {
  std::array<std::uint8_t, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = 31;
  for (int c = 'a'; c <= 'z'; ++c) {
    const std::uint8_t hex = c <= 'f' ? kTextHex : 0;
    table[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(1 | 2 | 16 | hex);
    table[static_cast<std::size_t>(c - 32)] = table[static_cast<std::size_t>(c)];
  }
  for (const char c : {'-', '_'}) table[static_cast<std::size_t>(c)] = kTextHost | kTextLocal;
  for (const char c : {'+', '%', '.', '\''}) table[static_cast<std::size_t>(c)] = kTextLocal;
  const auto add = [&table](std::string_view chars, std::uint8_t to) {
    for (const char c : chars) {
      std::uint8_t& classes = table[static_cast<unsigned char>(c)];
      classes = static_cast<std::uint8_t>(classes | to);
    }
  };
  for (char c = 0; c <= ' '; ++c) add({&c, 1}, kTextUrlEnd);
  add("\"<>`|\\^'\x7F\xE2", kTextUrlEnd);
  add(".:@/?#[({", kTextUrlSign);
  add(".,;:!?*", kTextTail);
  return table;
}();
inline bool text_is(char c, std::uint8_t classes) {
  return (kTextClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

// The first byte from `at` on that is of none of these classes.
inline std::size_t past(std::string_view text, std::size_t at, std::uint8_t classes) {
  while (at < text.size() && text_is(text[at], classes)) ++at;
  return at;
}

// Whether a letter of a European alphabet stands there: then a name goes on beyond ASCII. Signs and
// scripts that are written without blanks do not belong to it.
inline bool is_letter_lead(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0xC3 && byte <= 0xDF;
}
inline bool letter_before(std::string_view text, std::size_t at) {
  const auto goes_on = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  return at >= 2 && goes_on(text[at - 1]) && is_letter_lead(text[at - 2]);
}
inline bool letter_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_letter_lead(text[at]);
}

inline char closing_of(char bracket) {
  return bracket == '[' ? ']' : bracket == '(' ? ')' : bracket == '{' ? '}' : '\0';
}
// Whether a dot or an at-sign could begin with it.
inline bool may_begin_sign(char c) { return c == '.' || c == '@' || closing_of(c) != '\0'; }

// `sign` in brackets.
inline std::size_t bracketed(std::string_view text, std::size_t at, std::string_view sign) {
  const std::size_t size = sign.size() + 2;
  if (at >= text.size() || text.size() - at < size) return 0;
  const char close = closing_of(text[at]);
  if (close == '\0' || text[at + size - 1] != close) return 0;
  for (std::size_t i = 0; i < sign.size(); ++i) {
    const char c = text[at + 1 + i];
    if (c != sign[i] && !(sign[i] >= 'a' && (c | 0x20) == sign[i])) return 0;
  }
  return size;
}

// As it is, or in brackets, where a word may stand for it.
inline std::size_t sign_at(std::string_view text, std::size_t at, char plain,
                           std::string_view word = {}) {
  if (at >= text.size()) return 0;
  if (text[at] == plain) return 1;
  if (closing_of(text[at]) == '\0') return 0;
  const std::size_t size = bracketed(text, at, {&plain, 1});
  return size != 0 || word.empty() ? size : bracketed(text, at, word);
}
inline std::size_t dot_at(std::string_view text, std::size_t at) {
  return sign_at(text, at, '.', "dot");
}
inline std::size_t colon_at(std::string_view text, std::size_t at) {
  return sign_at(text, at, ':');
}
inline std::size_t at_sign_at(std::string_view text, std::size_t at) {
  return sign_at(text, at, '@', "at");
}
inline std::size_t slash_at(std::string_view text, std::size_t at) {
  return sign_at(text, at, '/');
}

template <class SignAt>
std::size_t sign_before(std::string_view text, std::size_t end, char plain, SignAt&& at_here) {
  if (end == 0) return 0;
  const char last = text[end - 1];
  if (last == plain) return 1;
  if (last != ']' && last != ')' && last != '}') return 0;
  for (std::size_t size = 3; size <= 5 && size <= end; ++size)
    if (at_here(text, end - size) == size) return size;
  return 0;
}
inline std::size_t dot_before(std::string_view text, std::size_t end) {
  return sign_before(text, end, '.', dot_at);
}
inline std::size_t at_sign_before(std::string_view text, std::size_t end) {
  return sign_before(text, end, '@', at_sign_at);
}

}  // namespace streamd
