// SPDX-License-Identifier: Apache-2.0
// Test files as users write them, run on a real plan.
#include "tests/engine/testing/suite_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

const std::string kLists = "lists: {bad: [x]}\n";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Passes, or says why not.
void passes(const std::string& cases) {
  const Ran ran = run_cases(kLists + cases);
  INFO(ran.problems);
  INFO(ran.report());
  CHECK(ran.passed());
}

void fails_with(const std::string& cases, const std::vector<std::string>& parts) {
  const Ran ran = run_cases(kLists + cases);
  INFO(ran.problems);
  REQUIRE(ran.suite->good());
  const std::string report = ran.report();
  INFO(report);
  CHECK_FALSE(ran.passed());
  for (const auto& part : parts) CHECK(holds(report, part));
}

void refused(const std::string& file, const std::vector<std::string>& parts) {
  const Ran ran = run_cases(file);
  INFO(ran.problems);
  CHECK_FALSE(ran.suite->good());
  for (const auto& part : parts) CHECK(holds(ran.problems, part));
}

}  // namespace

TEST_CASE("rows are expected at sinks, operators and sources", "[testing]") {
  passes(R"(
cases:
  - name: a sum
    in:
      in: [{t: 1704067201, k: a, n: "1"}, {t: 1704067202, k: a, n: "2"}, {t: 1704067203, k: b, n: "5"}]
    after: 30s
    expect:
      out: [{k: b, sum: 5}, {k: a, sum: 3, count: 2, window_end: 2024-01-01T00:00:10Z}]
      typed: {count: 3, rows: [{n: 1}, {n: 2}, {n: 5}], in_order: true, in: 3, out: 3}
      in: 3
      hits: []
      dead_letters: 0
)");
}

TEST_CASE("windows close when the virtual clock says that the source is silent", "[testing]") {
  const std::string open = R"(
cases:
  - name: open
    in: {in: [{t: 1704067209, k: a, n: "1"}]}
    after: )";
  // idle after 5 s, then event time goes on from the record's time less max_delay: 8 s.
  passes(open + "6999ms\n    expect: {out: []}\n");
  passes(open + "7s\n    expect: {out: 1}\n");
  passes(open + "1ms\n    end: true\n    expect: {out: 1}\n");
}

TEST_CASE("state survives a restart, and what came after the checkpoint is read again",
          "[testing]") {
  for (const std::string restart : {"false", "true"})
    passes(R"(
cases:
  - name: a sum over a restart
    steps:
      - in: {in: [{t: 1704067201, k: a, n: "1"}, {t: 1704067202, k: a, n: "2"}, {t: 1704067203, k: a, n: x}]}
      - {restart: )" +
           restart + R"(}
      - restart: )" +
           restart + R"(
        in: {in: [{t: 1704067204, k: a, n: "4"}, {t: 1704067205, k: a, n: x}]}
    after: 1m
    expect:
      out: [{sum: 7, count: 3}]
      typed: {in: 5, out: 3, dead_letters: 2}
      dead_letters: [{node: typed, data: '{"t":1704067203,"k":"a","n":"x"}'}, {node: typed}]
)");
}

TEST_CASE("a sink that fails for now gets everything once", "[testing]") {
  passes(R"(
cases:
  - name: retries
    fails: {out: 3, hits: 2}
    in: {in: [{t: 1704067201, k: x, n: "1"}]}
    after: 1m
    expect: {out: [{sum: 1}], hits: [{k: x}]}
)");
}

TEST_CASE("lists have the entries that a step gives them", "[testing]") {
  passes(R"(
cases:
  - name: a list that changes
    steps:
      - {in: {in: [{t: 1704067201, k: x, n: "1"}, {t: 1704067201, k: y, n: "1"}]}, expect: {hits: [{k: x}]}}
      - {lists: {bad: [y]}, in: {in: [{t: 1704067201, k: x, n: "1"}]}, expect: {hits: []}}
      - {restart: true, in: {in: [{t: 1704067201, k: y, n: "1"}]}, expect: {hits: [{k: y}]}}
)");
}

TEST_CASE("late records are in the books, and each partition has its own clock", "[testing]") {
  passes(R"(
cases:
  - name: late
    in:
      in:
        - {record: {t: 1704067200, k: a, n: "8"}, partition: other}
        - {t: 1704067260, k: a, n: "1"}
        - {t: 1704067201, k: a, n: "2"}
        - {record: {t: 1704067230, k: a, n: "4"}, partition: other}
    end: true
    expect:
      counts: {in: 4, dropped: {late: 1}}
      out: [{sum: 8}, {sum: 4}, {sum: 1}]
)");
}

TEST_CASE("what each expect sees is what came since the last", "[testing]") {
  passes(R"(
cases:
  - name: one after the other
    steps:
      - {in: {in: [{t: 1704067201, k: x, n: "1"}]}, expect: {hits: 1, typed: {out: 1}}}
      - {in: {in: [{t: 1704067201, k: x, n: "2"}, {t: 1704067201, k: x, n: "3"}]}, expect: {hits: 2, typed: {out: 2}}}
)");
  fails_with(
      R"(
cases:
  - name: left over
    steps:
      - {in: {in: [{t: 1704067201, k: x, n: "1"}]}, expect: {hits: 1}}
      - {in: {in: [{t: 1704067201, k: x, n: "2"}]}}
)",
      {"hits: 1 row came after the case had looked at it last", R"(+ {"t":1704067201,"k":"x")"});
}

TEST_CASE("a failed case says which row and which field", "[testing]") {
  fails_with(R"(
cases:
  - name: wrong
    in: {in: [{t: 1704067201, k: a, n: "1"}, {t: 1704067202, k: b, n: "2"}]}
    after: 1m
    expect:
      out:
        - {k: a, sum: 5}
        - {k: c, sum: 9}
)",
             {"FAIL  wrong",
              "p/test.test.yaml:8:7: out: 1 row differs, 1 row is missing, 1 row was not expected",
              R"(- {"k":"a","sum":5})", "sum is 1, expected 5", R"(- {"k":"c","sum":9})",
              R"(+ {"k":"b","sum":2)"});
  fails_with(R"(
cases:
  - name: numbers
    in: {in: [{t: 1704067201, k: a, n: "1"}]}
    expect: {typed: {count: 2, out: 5, dropped: {filtered: 1}}}
)",
             {"typed: 1 row came, expected 2", "typed: out is 1, expected 5",
              "typed: dropped.filtered is 0, expected 1"});
}

TEST_CASE("a dead letter that nobody expects fails a case", "[testing]") {
  fails_with("cases: [{name: dead, in: {in: [nonsense]}, expect: {hits: []}}]",
             {"a dead letter that the case does not expect", "bad-json", "nonsense"});
  passes("cases: [{name: dead, in: {in: [nonsense]}, expect: {in: {dead_letters: 1}}}]");
  passes("cases: [{name: dead, in: {in: [nonsense]}, expect: {dead_letters: [{code: bad-json}]}}]");
}

TEST_CASE("a time far ahead of the virtual clock fails a case that does not expect it",
          "[testing]") {
  fails_with(
      R"(cases: [{name: ahead, in: {in: [{t: 1735689600, k: a, n: "1"}]}, expect: {hits: []}}])",
      {"source \"in\": a time was too far ahead", "set start:"});
  passes(
      R"(cases: [{name: ahead, in: {in: [{t: 1735689600, k: a, n: "1"}]}, expect: {in: {clamped: 1}}}])");
  passes(
      R"(cases: [{name: ahead, start: 2025-01-01T00:00:00Z, in: {in: [{t: 1735689600, k: a, n: "1"}]}}])");
}

TEST_CASE("every mistake of a test file is told with its place and a remedy", "[testing]") {
  refused(R"(
env: {LISTT: x}
lists: {badd: [x]}
cases:
  - nam: first
    in: {inn: [{t: 1}]}
    fails: {counts: 1}
    expect:
      outt: []
      typed.late: {out: 1}
      counts: {dropped: {lat: 1}}
  - name: the second
    after: 30
)",
          {"p/test.test.yaml:5:5: error: unknown key \"nam\"", "did you mean \"name\"?",
           "expected a duration, got \"30\"", "write a unit: 30s",
           "warning: the pipeline has no variable \"LISTT\"", "did you mean \"LIST\"?",
           "the pipeline has no list \"badd\"", "list \"bad\" of the pipeline is of type url",
           "the pipeline has no source \"inn\"", "the pipeline has no sink \"counts\"",
           "the pipeline has no node \"outt\"", "a port has rows and a count, but no books",
           "unknown reason \"lat\"", "did you mean \"late\"?", "9 errors, 1 warning"});
  refused("cases: [{name: a, after: 1s}, {name: a}]", {"two cases are called \"a\""});
  refused("cases: []", {"there is at least one case"});
  refused(kLists + "cases: [{name: a, expect: {out: [{summ: 1}]}}]",
          {"what comes to \"out\" has no field \"summ\"", "did you mean \"sum\"?"});
  refused(kLists + "cases: [{name: a, expect: {typed.late: 1}}]", {"has no port \"late\""});
  refused(kPipeline, {"this is a pipeline, not a test file"});
  refused("pipeline: other.yaml\ncases: [{name: a}]",
          {"cannot read the pipeline file \"p/other.yaml\""});
  refused(kLists + "cases:\n  - name: a\n    steps: [{end: true}]\n    after: 1s\n",
          {"after end: true nothing comes any more"});
  refused("lists: {bad: [\"\"]}\ncases: [{name: a}]", {"bad-indicator"});
}

TEST_CASE("mistakes of the pipeline are told in its own file, without secrets", "[testing]") {
  files() = {
      {"p/test.yaml", "pipeline: test\nsources: {in: {type: fake, nonsense: \"${SECRET}\"}}\n"},
      {"p/test.test.yaml", "env: {SECRET: hunter2}\ncases: [{name: a}]\n"}};
  const auto suite =
      testing::load_suite("p/test.test.yaml", test_registry(), read_test_file_of_map);
  const std::string told = render(suite->problems, suite->texts, false, suite->secrets);
  INFO(told);
  CHECK(holds(told, "p/test.yaml:2:28: error:"));
  CHECK_FALSE(holds(told, "hunter2"));
}

TEST_CASE("a variable that the test does not give is not taken from the environment", "[testing]") {
  const Ran ran = run_cases(kLists + "cases: [{name: a}]",
                            "pipeline: test\nsources: {in: {type: fake}}\nsinks: {out: {type: "
                            "\"${PATH}\", input: in}}\n");
  CHECK_FALSE(ran.suite->good());
  CHECK(holds(ran.problems, "variable \"PATH\" is not set"));
  CHECK(holds(ran.problems, "give it in the test file, below env:"));
}

TEST_CASE("coverage tells which nodes saw no record", "[testing]") {
  const Ran ran =
      run_cases(kLists + "cases: [{name: a, in: {in: [{t: 1704067201, k: a, n: \"1\"}]}}]");
  REQUIRE(ran.passed());
  const auto books = testing::books_of(ran.results);
  const std::string line = testing::coverage_report(*ran.suite, books, false);
  CHECK(line == "  coverage: 4 of 6 nodes saw a record, not out, hits\n");
  CHECK(holds(testing::coverage_report(*ran.suite, books, true), "typed"));
}

TEST_CASE("the same test gives the same answers each time", "[testing]") {
  const std::string many = R"(
cases:
  - name: many keys
    in: {in: [{record: {k: "k{{ n }}", n: "1"}, at: 0s, repeat: 50, every: 100ms}]}
    after: 1m
    expect: {out: 0}
)";
  const std::string first = run_cases(kLists + many).report();
  CHECK(holds(first, "50 rows came, expected 0"));
  CHECK(run_cases(kLists + many).report() == first);
}
