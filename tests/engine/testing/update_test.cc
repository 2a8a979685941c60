// SPDX-License-Identifier: Apache-2.0
// What --update makes of a test file.
#include "engine/testing/update.h"

#include "tests/engine/testing/suite_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

const std::string kHead = R"(# a test
lists: {bad: [x]}   # one
cases:
  - name: sums      # of two
    in:
      in: [{t: 1704067201, k: a, n: "1"}, {t: 1704067202, k: b, n: "2"}]
    after: 30s
    expect:
)";

// The expectations below kHead after --update; the whole file passes then.
std::string updated(const std::string& expectations) {
  const Ran ran = run_cases(kHead + expectations);
  INFO(ran.problems);
  REQUIRE(ran.suite->good());
  REQUIRE_FALSE(ran.passed());
  std::vector<const testing::CaseRun*> runs;
  for (const auto& result : ran.results) runs.push_back(&result.run);
  const auto update = testing::update_expectations(kHead + expectations, runs);
  INFO(update.text);
  REQUIRE(update.changed > 0);
  REQUIRE(update.text.starts_with(kHead));
  const Ran again = run_cases(update.text);
  INFO(again.problems);
  INFO(again.report());
  CHECK(again.passed());
  return update.text.substr(kHead.size());
}

}  // namespace

TEST_CASE("a value that differs is rewritten where it stands", "[testing]") {
  CHECK(updated("      out: [{k: a, sum: 7}, {k: b, sum: 2}]  # both\n") ==
        "      out: [{k: a, sum: 1}, {k: b, sum: 2}]  # both\n");
  CHECK(updated("      out:\n        - k: b\n          sum: 9   # wrong\n        # between\n"
                "        - {k: a, sum: 1}   # right\n      hits: []\n") ==
        "      out:\n        - k: b\n          sum: 2   # wrong\n        # between\n"
        "        - {k: a, sum: 1}   # right\n      hits: []\n");
}

TEST_CASE("counts and figures of the books are rewritten", "[testing]") {
  CHECK(
      updated("      out: 5   # rows\n      typed: {count: 1, out: 3, dropped: {filtered: 4}}\n") ==
      "      out: 2   # rows\n      typed: {count: 2, out: 2, dropped: {filtered: 0}}\n");
}

TEST_CASE("rows that nobody expected are added with the fields that the others name", "[testing]") {
  CHECK(updated("      out: [{k: a, sum: 1}]\n") ==
        "      out: [{k: a, sum: 1}, {k: b, sum: 2}]\n");
  CHECK(updated("      out:\n        - {k: a, sum: 1}  # first\n\n      # the end\n") ==
        "      out:\n        - {k: a, sum: 1}  # first\n        - {k: b, sum: 2}\n\n      # the "
        "end\n");
  CHECK(updated("      out: {rows: [{k: b}], exact: false}\n") ==
        "      out: {rows: [{k: b}, {k: a}], exact: false}\n");
}

TEST_CASE("rows that did not come are taken out", "[testing]") {
  CHECK(updated(
            "      out: [{k: c, count: 8}, {k: a, sum: 1}, {k: b, sum: 2}, {k: d, count: 9}]\n") ==
        "      out: [{k: a, sum: 1}, {k: b, sum: 2}]\n");
  CHECK(updated("      out:\n        - {k: a, sum: 1}\n        - k: c\n          count: 8\n"
                "        # b\n        - {k: b, sum: 2}\n") ==
        "      out:\n        - {k: a, sum: 1}\n        # b\n        - {k: b, sum: 2}\n");
  CHECK(updated("      hits: [{k: a}]\n") == "      hits: []\n");
  CHECK(updated("      hits:\n        - {k: a}\n      out: 2\n") ==
        "      hits: []\n      out: 2\n");
}

TEST_CASE("an empty list gets whole rows, as a block when they are long", "[testing]") {
  const std::string block = updated("      out: []\n");
  CHECK(block.starts_with("      out:\n        - {k: "));
  CHECK(block.find("window_end: 2024-01-01T00:00:10Z") != std::string::npos);
  CHECK(updated("      in: {rows: [], exact: true}\n").find("{t: 1704067201, k: a, n: \"1\"}") !=
        std::string::npos);
}

TEST_CASE("rows in order are put into the order in which they came", "[testing]") {
  CHECK(updated("      typed: {rows: [{k: b}, {k: a}], in_order: true}\n") ==
        "      typed: {rows: [{k: a}, {k: b}], in_order: true}\n");
  CHECK(updated(
            "      typed:\n        in_order: true\n        rows:\n          - {k: b}  # last\n") ==
        "      typed:\n        in_order: true\n        rows:\n          - {k: a}\n          - {k: "
        "b}  # last\n");
}

TEST_CASE("what cannot be rewritten is told and stays", "[testing]") {
  const std::string text = kHead + "      out: &rows [{k: a, sum: 7}]\n";
  const Ran ran = run_cases(text);
  REQUIRE(ran.suite->good());
  const auto update = testing::update_expectations(text, {&ran.results.front().run});
  CHECK(update.changed == 0);
  CHECK(update.text == text);
  REQUIRE(update.left.size() == 1);
  CHECK(update.left[0] == "out: it is written in a way that --update does not know");
}
