// SPDX-License-Identifier: Apache-2.0
// Test files over a small pipeline, without a file system.
#pragma once

#include "engine/testing/report.h"
#include "engine/testing/suite.h"
#include "lists/builtin_lists.h"
#include "operators/builtin_operators.h"
#include "sinks/builtin_sinks.h"
#include "sources/builtin_sources.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace streamd::test {

inline constexpr const char* kPipeline = R"(
pipeline: test
sources:
  in: {type: fake, time: {field: t, format: unix, max_delay: 1s, idle_after: 5s}}
lists:
  bad: {type: url, url: "https://lists.example/${LIST:-all}"}
operators:
  typed: {type: convert, input: in, fields: {n: int}}
  counts: {type: window, input: typed, window: {tumbling: 10s}, by: [k], compute: {sum: sum(n), count: count()}}
  listed: {type: match, input: typed, field: k, list: bad}
sinks:
  out: {type: fake, input: counts}
  hits: {type: fake_hits, input: listed}
)";

inline std::map<std::string, std::string>& files() {
  static std::map<std::string, std::string> all;
  return all;
}
inline std::optional<std::string> read_test_file_of_map(const std::string& path) {
  const auto found = files().find(path);
  return found == files().end() ? std::nullopt : std::optional(found->second);
}

struct Ran {
  std::unique_ptr<testing::Suite> suite;
  std::vector<testing::CaseResult> results;
  std::string problems;  // rendered

  std::string report() const { return testing::case_report(*suite, results); }
  // What is only known when all cases were run.
  std::string afterwards() const {
    return render(testing::unused_answers(*suite, results), suite->texts, false, suite->secrets);
  }
  bool passed() const {
    for (const auto& result : results)
      if (!result.passed()) return false;
    return suite->good() && !results.empty();
  }
};

inline Registry test_registry() {
  Registry registry;
  add_builtin_operators(registry);
  add_builtin_lists(registry);
  add_builtin_sinks(registry);
  add_builtin_sources(registry);
  add_fake_source(registry, std::make_shared<FakeInput>());
  add_fake_sink(registry, "fake", std::make_shared<FakeOutput>());
  add_fake_sink(registry, "fake_hits", std::make_shared<FakeOutput>());
  return registry;
}

// The lists of the pipeline are given, so that a text is nothing but its cases.
inline Ran run_cases(const std::string& cases, const std::string& pipeline = kPipeline) {
  files() = {{"p/test.yaml", pipeline}, {"p/test.test.yaml", cases}};
  Ran ran;
  ran.suite = testing::load_suite("p/test.test.yaml", test_registry(), read_test_file_of_map);
  ran.problems = render(ran.suite->problems, ran.suite->texts, false, ran.suite->secrets);
  if (ran.suite->good()) ran.results = testing::run_suite(*ran.suite, "");
  return ran;
}

// All cases pass, and nothing is left to say of them.
inline void passes(const std::string& pipeline, const std::string& cases) {
  const Ran ran = run_cases(cases, pipeline);
  INFO(ran.problems);
  REQUIRE(ran.suite->good());
  INFO(ran.report());
  CHECK(ran.passed());
  CHECK(ran.afterwards().empty());
}

}  // namespace streamd::test
