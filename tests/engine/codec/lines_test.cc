// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/lines.h"

#include "tests/support/catch.h"

using namespace streamd;
using Lines = std::vector<std::string_view>;

TEST_CASE("Blocks are cut at LF, and what has no LF stays") {
  Lines lines;
  const std::string_view block = "a\nbc\r\n\n\r\nrest";
  CHECK(split_lines(block, lines) == 9);
  CHECK(lines == Lines{"a", "bc", "", ""});
  lines.clear();
  CHECK(split_lines("no end\r", lines) == 0);
  CHECK(split_lines("", lines) == 0);
  CHECK(lines.empty());
}

TEST_CASE("A CR inside a line is part of it") {
  Lines lines;
  CHECK(split_lines("a\rb\r\r\n", lines) == 6);
  CHECK(lines == Lines{"a\rb\r"});
}

TEST_CASE("Each line comes with its offsets") {
  std::vector<std::size_t> offsets;
  for_each_line("ab\r\nc\n", [&](std::string_view line, std::size_t at, std::size_t next) {
    offsets.insert(offsets.end(), {line.size(), at, next});
  });
  CHECK(offsets == std::vector<std::size_t>{2, 0, 4, 1, 4, 6});
}
