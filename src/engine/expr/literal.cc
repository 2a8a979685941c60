// SPDX-License-Identifier: Apache-2.0
// Numbers and texts of CEL.
#include "engine/expr/lexer.h"

#include <cctype>
#include <charconv>
#include <limits>
#include <system_error>

namespace streamd::expr {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

bool refuse(SyntaxError& error, std::size_t from, std::size_t to, std::string message,
            std::string hint = {}) {
  error = {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to > from ? to - from : 1),
           std::move(message), std::move(hint)};
  return false;
}

// Skips digits; false when there was none.
bool skip_digits(std::string_view text, std::size_t& at) {
  const std::size_t start = at;
  while (at < text.size() && digit(text[at])) ++at;
  return at > start;
}

int hex_digit(char c) {
  if (digit(c)) return c - '0';
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// `count` digits of the base at `at`; nullopt when there are fewer.
std::optional<std::uint32_t> read_digits(std::string_view text, std::size_t at, int count,
                                         int base) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i, ++at) {
    const int d = at < text.size() ? hex_digit(text[at]) : -1;
    if (d < 0 || d >= base) return std::nullopt;
    value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(d);
  }
  return value;
}

char simple_escape(char c) {
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '\\':
    case '?':
    case '"':
    case '\'':
    case '`': return c;
    default: return '\0';
  }
}

// `at` stands on the backslash.
bool read_escape(std::string_view text, std::size_t& at, bool bytes, std::string& out,
                 SyntaxError& error) {
  const std::size_t start = at;
  const char c = at + 1 < text.size() ? text[at + 1] : '\0';
  if (const char plain = simple_escape(c); plain != '\0') {
    out.push_back(plain);
    at += 2;
    return true;
  }
  std::optional<std::uint32_t> code;
  int count = 0;
  bool octet = false;
  if (c == 'x' || c == 'X') {
    count = 2;
    octet = true;
    code = read_digits(text, at + 2, 2, 16);
    at += 2;
  } else if (c == 'u' || c == 'U') {
    count = c == 'u' ? 4 : 8;
    code = read_digits(text, at + 2, count, 16);
    at += 2;
    if (bytes) return refuse(error, start, start + 2, "\\u is not allowed in bytes");
  } else if (c >= '0' && c <= '3') {
    count = 3;
    octet = true;
    code = read_digits(text, at + 1, 3, 8);
    at += 1;
  } else {
    return refuse(error, start, start + 2, "unknown escape in a text",
                  "for a backslash write \\\\, or a raw text: r'…'");
  }
  if (!code) return refuse(error, start, start + 2, "escape with too few digits");
  at += static_cast<std::size_t>(count);
  if (octet && bytes) {
    out.push_back(static_cast<char>(*code));
    return true;
  }
  if (*code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
    return refuse(error, start, at, "escape is no Unicode character");
  append_utf8(*code, out);
  return true;
}

}  // namespace

void append_utf8(std::uint32_t c, std::string& out) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

bool read_number(std::string_view text, std::size_t& at, Lexeme& into, SyntaxError& error) {
  const std::size_t start = at;
  int base = 10;
  bool real = false;
  std::size_t first = at;
  if (text[at] == '0' && at + 1 < text.size() && (text[at + 1] == 'x' || text[at + 1] == 'X')) {
    base = 16;
    first = at += 2;
    while (at < text.size() && hex_digit(text[at]) >= 0) ++at;
    if (at == first) return refuse(error, start, at, "hexadecimal number without digits");
  } else {
    skip_digits(text, at);
    if (at + 1 < text.size() && text[at] == '.' && digit(text[at + 1])) {
      real = true;
      ++at;
      skip_digits(text, at);
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
      real = true;
      ++at;
      if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
      if (!skip_digits(text, at)) return refuse(error, start, at, "number with an empty exponent");
    }
  }
  const char* begin = text.data() + first;
  const char* end = text.data() + at;
  if (real) {
    into.token = Token::real;
    // Out of range keeps the standard's result: infinity or zero.
    if (std::from_chars(begin, end, into.real).ec == std::errc::result_out_of_range)
      return refuse(error, start, at, "number is out of the range of double");
  } else {
    into.token = Token::integer;
    if (std::from_chars(begin, end, into.integer, base).ec != std::errc())
      return refuse(error, start, at, "number is too large");
    if (at < text.size() && (text[at] == 'u' || text[at] == 'U')) {
      into.token = Token::uinteger;
      ++at;
    }
  }
  if (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_'))
    return refuse(error, start, at + 1, "a number runs into a name",
                  "a name that begins with a digit is written in back quotes");
  return true;
}

bool read_text(std::string_view text, std::size_t& at, Lexeme& into, SyntaxError& error) {
  const std::size_t start = at;
  bool raw = false;
  into.token = Token::string;
  for (; text[at] != '"' && text[at] != '\''; ++at) {
    if (std::tolower(static_cast<unsigned char>(text[at])) == 'r')
      raw = true;
    else
      into.token = Token::bytes;
  }
  const char quote = text[at];
  const std::string triple(3, quote);
  const bool many_lines = text.substr(at, 3) == triple;
  const std::string_view close = many_lines ? std::string_view(triple) : text.substr(at, 1);
  at += close.size();
  while (at < text.size()) {
    if (text.substr(at, close.size()) == close) {
      at += close.size();
      return true;
    }
    const char c = text[at];
    if (!many_lines && (c == '\n' || c == '\r')) break;
    if (c == '\\' && !raw) {
      if (!read_escape(text, at, into.token == Token::bytes, into.text, error)) return false;
    } else {
      into.text.push_back(c);
      ++at;
    }
  }
  return refuse(error, start, start + 1, "text is not closed",
                "close it with the quote that it begins with");
}

}  // namespace streamd::expr
