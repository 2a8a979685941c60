// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/lexer.h"

#include <array>
#include <cctype>

namespace streamd::expr {
namespace {

bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

// Number of characters of the prefix when a text literal begins here (0 is a bare quote), else -1.
int text_prefix(std::string_view rest) {
  for (int n = 0; n <= 2 && static_cast<std::size_t>(n) < rest.size(); ++n) {
    const char c = rest[static_cast<std::size_t>(n)];
    if (c == '"' || c == '\'') {
      if (n == 2 && std::tolower(rest[0]) == std::tolower(rest[1])) return -1;
      return n;
    }
    if (c != 'r' && c != 'R' && c != 'b' && c != 'B') return -1;
  }
  return -1;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r') {
      ++at;
    } else if (text.substr(at, 2) == "//") {
      while (at < text.size() && text[at] != '\n') ++at;
    } else {
      break;
    }
  }
  return at;
}

bool read_quoted_ident(std::string_view text, std::size_t& at, Lexeme& into, SyntaxError& error) {
  const std::size_t end = text.find('`', at + 1);
  if (end == std::string_view::npos || end == at + 1) {
    error = {static_cast<std::uint32_t>(at), 1,
             end == at + 1 ? "empty name in back quotes" : "back quote is not closed",
             "write the name of a field in between: `@timestamp`"};
    return false;
  }
  into.token = Token::quoted_ident;
  into.text = text.substr(at + 1, end - at - 1);
  at = end + 1;
  return true;
}

bool read_symbol(std::string_view text, std::size_t& at, Lexeme& into, SyntaxError& error) {
  static constexpr std::array<std::string_view, 6> kPairs = {"&&", "||", "==", "!=", "<=", ">="};
  into.token = Token::symbol;
  for (const auto pair : kPairs)
    if (text.substr(at, 2) == pair) {
      into.text = pair;
      at += 2;
      return true;
    }
  const char c = text[at];
  if (std::string_view("+-*/%!<>?:.,()[]{}").find(c) != std::string_view::npos) {
    into.text = std::string(1, c);
    ++at;
    return true;
  }
  error.offset = static_cast<std::uint32_t>(at);
  error.length = 1;
  if (c == '=') error.hint = "to compare, write ==";
  if (c == '&') error.hint = "for \"and\", write &&";
  if (c == '|') error.hint = "for \"or\", write ||";
  if (c == '@' || c == '$' || c == '#')
    error.hint = "write a field with such a name in back quotes: `" + std::string(1, c) + "name`";
  const auto byte = static_cast<unsigned char>(c);
  error.message = byte >= 0x20 && byte < 0x7F ? "unexpected character \"" + std::string(1, c) + "\""
                                              : "unexpected character outside of a text";
  return false;
}

}  // namespace

std::optional<std::vector<Lexeme>> cut(std::string_view text, SyntaxError& error) {
  std::vector<Lexeme> out;
  std::size_t at = skip_blanks(text, 0);
  while (at < text.size()) {
    Lexeme next;
    const std::size_t start = at;
    next.offset = static_cast<std::uint32_t>(at);
    const char c = text[at];
    bool good = true;
    if (text_prefix(text.substr(at)) >= 0) {
      good = read_text(text, at, next, error);
    } else if (letter(c)) {
      while (at < text.size() && (letter(text[at]) || digit(text[at]))) ++at;
      next.token = Token::ident;
      next.text = text.substr(start, at - start);
    } else if (digit(c) || (c == '.' && at + 1 < text.size() && digit(text[at + 1]))) {
      good = read_number(text, at, next, error);
    } else if (c == '`') {
      good = read_quoted_ident(text, at, next, error);
    } else {
      good = read_symbol(text, at, next, error);
    }
    if (!good) return std::nullopt;
    next.length = static_cast<std::uint32_t>(at - start);
    out.push_back(std::move(next));
    at = skip_blanks(text, at);
  }
  Lexeme end;
  end.offset = static_cast<std::uint32_t>(text.size());
  end.length = 1;
  out.push_back(std::move(end));
  return out;
}

}  // namespace streamd::expr
