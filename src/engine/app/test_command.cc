// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/load.h"
#include "engine/config/render.h"
#include "engine/core/whole_file.h"
#include "engine/testing/report.h"
#include "engine/testing/update.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace {

using testing::CaseResult;
using testing::Suite;

struct Totals {
  std::size_t cases = 0, failed = 0;
  bool usage = false;   // a file that is none
  bool broken = false;  // something could not be written
  std::vector<testing::JunitSuite> junit;
};

void tell(const Diagnostics& problems, const Suite& suite) {
  const auto text = render(problems, suite.texts, isatty(2) != 0, suite.secrets);
  std::fputs(text.c_str(), stderr);
}

std::size_t failed_of(const std::vector<CaseResult>& results) {
  std::size_t failed = 0;
  for (const auto& result : results) failed += result.passed() ? 0u : 1u;
  return failed;
}

bool write_file(const std::string& path, const std::string& text) {
  if (const auto problem = replace_file(path, text)) {
    fmt::print(stderr, "error: cannot write {}: {}\n", path, problem.message());
    return false;
  }
  return true;
}

// Rewrites the file, and looks whether it is a test file still: if not, nothing is changed.
std::unique_ptr<Suite> update(const Suite& suite, const std::vector<CaseResult>& results,
                              const Registry& registry, Totals& totals) {
  std::vector<const testing::CaseRun*> runs;
  for (const auto& result : results) runs.push_back(&result.run);
  const std::string before = suite.texts.front().text;
  const auto changes = testing::update_expectations(before, runs);
  for (const auto& left : changes.left) fmt::print("  not updated: {}\n", left);
  if (changes.changed == 0) return nullptr;
  if (!write_file(suite.path, changes.text)) {
    totals.broken = true;
    return nullptr;
  }
  auto again = testing::load_suite(suite.path, registry, read_whole_file, load_plugins);
  if (again->good()) {
    fmt::print("  updated: {} expectation{}\n", changes.changed, changes.changed == 1 ? "" : "s");
    return again;
  }
  totals.broken = !write_file(suite.path, before);
  fmt::print("  not updated: the file would not be one any more\n");
  return nullptr;
}

void test_file(const std::string& path, const TestArguments& arguments, const Registry& registry,
               Totals& totals) {
  auto suite = testing::load_suite(path, registry, read_whole_file, load_plugins);
  tell(suite->problems, *suite);
  if (!suite->good()) {
    totals.usage = true;
    return;
  }
  auto results = testing::run_suite(*suite, arguments.filter);
  if (arguments.update && failed_of(results) > 0) {
    if (auto again = update(*suite, results, registry, totals)) {
      suite = std::move(again);
      results = testing::run_suite(*suite, arguments.filter);
    }
  }
  fmt::print("{}", testing::case_report(*suite, results));
  tell(testing::unused_answers(*suite, results), *suite);
  if (!results.empty())
    fmt::print("{}",
               testing::coverage_report(*suite, testing::books_of(results), arguments.coverage));
  totals.cases += results.size();
  totals.failed += failed_of(results);
  totals.junit.push_back(testing::junit_suite(*suite, results));
}

}  // namespace

int test_command(const TestArguments& arguments, const Registry& registry) {
  Totals totals;
  for (const auto& path : arguments.files) test_file(path, arguments, registry, totals);
  if (totals.cases == 0 && !totals.usage) {
    fmt::print(stderr, "error: no case is called like \"{}\"\n", arguments.filter);
    return kExitUsage;
  }
  fmt::print("{} case{}, {} failed\n", totals.cases, totals.cases == 1 ? "" : "s", totals.failed);
  if (!arguments.junit.empty() && !write_file(arguments.junit, testing::junit_xml(totals.junit)))
    totals.broken = true;
  if (totals.usage) return kExitUsage;
  return totals.failed > 0 || totals.broken ? kExitFailed : kExitDone;
}

}  // namespace streamd
