// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/limits.h"
#include "tests/support/catch.h"

#include <string>

using namespace streamd;
using namespace streamd::expr;

namespace {

Limits known() {
  Limits limits;
  limits.ranges["part"] = {0, 1};
  limits.ranges["n"] = {1};
  limits.ranges["distinct"] = {0};
  limits.order = {{"distinct", "n"}};
  return limits;
}

// The reason, or "" where it may be true.
std::string never(const std::string& text, const Limits& limits = known()) {
  const auto found = never_true(ExprText{text, {}}, limits);
  return found ? found->reason : "";
}

}  // namespace

TEST_CASE("a threshold beyond what a value can be is never reached") {
  CHECK(never("part > 1.0") == "part is between 0 and 1");
  CHECK(never("part >= 1.5") == "part is between 0 and 1");
  CHECK(never("part < 0") == "part is between 0 and 1");
  CHECK(never("part == 2.0") == "part is between 0 and 1");
  CHECK(never("2 <= part") == "part is between 0 and 1");
  CHECK(never("-part > 0.0") != "");
  CHECK(never("double(n) < 1.0") != "");
  CHECK(never("n < 1") == "n is at least 1");
  CHECK(never("n == 0") == "n is at least 1");
  CHECK(never("distinct > n") == "distinct is never above n");
  CHECK(never("n < distinct") == "distinct is never above n");
  CHECK(never("false") == "it is false");
  CHECK(never("5 > 10") == "both sides are fixed");
}

TEST_CASE("what contradicts itself is never true") {
  CHECK(never("x > 100 && x < 10") == "x is above 100 by what stands before");
  CHECK(never("x > 5 && x <= 5") == "x is above 5 by what stands before");
  CHECK(never("x == 4 && x == 5") == "x is 4 by what stands before");
  CHECK(never("a == 'GET' && a == 'POST'") == "a cannot be both 'GET' and 'POST'");
  CHECK(never("(a == 'GET' && y) && 'POST' == a") != "");
  CHECK(never("part > 2 || n < 1") != "");
  CHECK(never("(x > 3 || y) && part > 3") != "");
}

TEST_CASE("what may be true is let alone") {
  for (const char* text : {"part >= 1.0",
                           "part <= 0",
                           "part > 0.99",
                           "n >= 1",
                           "n > 5 && n < 7",
                           "n > 5 && n <= 6",
                           "distinct >= n",
                           "distinct <= n",
                           "n > distinct",
                           "x > 1 || x < 0",
                           "part > 2 || x",
                           "x > 100 || x < 10",
                           "a == 'GET' || a == 'POST'",
                           "a == 'GET' && b == 'POST'",
                           "a != 'GET' && a == 'POST'",
                           "!(part > 1.0)",
                           "!(x > 5) && x > 5 || true",
                           "x + 1 > 5 && x < 1",
                           "x > y && x < y",
                           "true",
                           "x",
                           "n > 1 ? part > 2 : true",
                           "xs.exists(part, part > 2)",
                           "m.part > 2",
                           "part > z",
                           "size(a) == 0",
                           "x > 9007199254740993 && x < 9007199254740995",
                           "x == 'a' && x > 5"})
    CHECK((std::string(text) + ": " + never(text)) == std::string(text) + ": ");
}

TEST_CASE("parts of an or do not limit each other") {
  CHECK(never("(x > 10 || y) && x < 5").empty());
  CHECK(never("(x > 10 && y) && x < 5") == "x is above 10 by what stands before");
}

TEST_CASE("the part that cannot be is the place") {
  const std::string text = "x > 1 && part > 3";
  ExprText scalar{text, {}};
  scalar.where.text = text;
  scalar.where.place = {0, 4, 10, 1};
  scalar.where.runs = {{0, 4, 10}};
  const auto found = never_true(scalar, known());
  REQUIRE(found);
  CHECK(found->place.line == 4);
  CHECK(found->place.column == 19);
  CHECK(found->place.length == 8);
}
