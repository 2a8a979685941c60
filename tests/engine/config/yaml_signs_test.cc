// SPDX-License-Identifier: Apache-2.0
#include "engine/config/yaml_signs.h"

#include "tests/support/catch.h"

#include <string>

using namespace streamd;

namespace {

// "sign line column" of what is open at the end of the text, or "".
std::string open(const std::string& text) {
  const auto found = open_sign(text, text.size());
  return found ? std::string(1, found->sign) + " " + std::to_string(found->place.line) + " " +
                     std::to_string(found->place.column)
               : "";
}

}  // namespace

TEST_CASE("what is open is the last sign that nothing closes") {
  CHECK(open("a: [1, {b: 2}").substr(0, 5) == "[ 1 4");
  CHECK(open("a: 1\nb: {c: [1, 2]\n") == "{ 2 4");
  CHECK(open("a: \"x [ {\nb: 1") == "\" 1 4");
  CHECK(open("a: 'it''s [' \nb: ['x\n") == "' 2 5");
  CHECK(open("a: \"x\\\" [\"\n").empty());
  CHECK(open("a: [1, 2]\nb: {c: [], d: {}}").empty());
  CHECK(open("").empty());
}

TEST_CASE("signs inside of texts and comments open nothing") {
  CHECK(open("a: x[0] == 'y\nb: it's {{ late }}\n").empty());
  CHECK(open("# don't [ {\na: 1 # \"\n").empty());
  CHECK(open("a: b#[\n").empty());
  CHECK(open("a-[b: 1\n").empty());
}

TEST_CASE("a quote is closed or not") {
  CHECK(is_closed_quote("a: \"x\"\n", {0, 1, 4, 1}));
  CHECK(is_closed_quote("a: 'it''s'\n", {0, 1, 4, 1}));
  CHECK(is_closed_quote("a: \"over\n  lines\"\n", {0, 1, 4, 1}));
  CHECK_FALSE(is_closed_quote("a: \"x\nb: 1\n", {0, 1, 4, 1}));
  CHECK_FALSE(is_closed_quote("a: 'x''\nb: 1\n", {0, 1, 4, 1}));
  CHECK(is_closed_quote("a: x\n", {0, 1, 4, 1}));
  CHECK(is_closed_quote("a: x\n", {0, 9, 4, 1}));
}
