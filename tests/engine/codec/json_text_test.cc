// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_text.h"

#include "tests/support/catch.h"

#include <cctype>
#include <optional>
#include <random>
#include <string>

using namespace streamd;

namespace {

// Byte by byte, by the grammar.
std::optional<std::size_t> first_bad_escape(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      ++at;
      continue;
    }
    if (at + 1 == text.size()) return at;
    const char c = text[at + 1];
    if (c == 'u') {
      for (std::size_t i = at + 2; i < at + 6; ++i)
        if (i >= text.size() || std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return at;
      at += 6;
    } else if (std::string("\"\\/bfnrt").find(c) == std::string::npos) {
      return at;
    } else {
      at += 2;
    }
  }
  return std::nullopt;
}

void compare(const std::string& text) {
  std::size_t bad_at = 0;
  const auto expected = first_bad_escape(text);
  INFO(text);
  REQUIRE(check_json_escapes(text, bad_at) == !expected.has_value());
  if (expected) REQUIRE(bad_at == *expected);
}

}  // namespace

TEST_CASE("an escape is found wherever it stands in a block") {
  for (std::size_t length = 0; length < 40; ++length)
    for (std::size_t at = 0; at <= length; ++at)
      for (const char* escape :
           {"\\n", "\\", "\\x", "\\\\", "\\u00e9", "\\u00g9", "\\u0", "\\\\\\"}) {
        std::string text(length, 'a');
        text.insert(at, escape);
        compare(text);
      }
}

TEST_CASE("any mixture of backslashes and letters is judged as byte by byte") {
  std::mt19937_64 dice(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t n = dice() % 60; n > 0; --n) text += R"(\\\\nu0aF"/x)"[dice() % 12];
    compare(text);
  }
}
