// SPDX-License-Identifier: Apache-2.0
// Tokens of CEL. The whole text is cut at once; texts are short.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::expr {

enum class Token : std::uint8_t {
  end,
  ident,
  quoted_ident,
  integer,
  uinteger,
  real,
  string,
  bytes,
  symbol
};

struct Lexeme {
  Token token = Token::end;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::string text;           // ident, symbol: as written; string, bytes: decoded
  std::uint64_t integer = 0;  // magnitude, may be 2^63 for a negated int
  double real = 0;
};

struct SyntaxError {
  std::uint32_t offset = 0;
  std::uint32_t length = 1;
  std::string message;
  std::string hint;
};

// Ends with Token::end. nullopt: `error` is filled.
std::optional<std::vector<Lexeme>> cut(std::string_view text, SyntaxError& error);

// Literal at `at` (literal.cc): both advance `at` past it and fill the lexeme; false: error filled.
bool read_number(std::string_view text, std::size_t& at, Lexeme& into, SyntaxError& error);
// `at` stands on the prefix (r, b) or on the quote.
bool read_text(std::string_view text, std::size_t& at, Lexeme& into, SyntaxError& error);

void append_utf8(std::uint32_t code_point, std::string& out);

}  // namespace streamd::expr
