// SPDX-License-Identifier: Apache-2.0
// What `streamd test` says of a suite: cases with their diffs, coverage of nodes, JUnit's XML.
#pragma once

#include "engine/testing/suite.h"

#include <string>
#include <vector>

namespace streamd::testing {

// A line for each case, below a failed one why.
std::string case_report(const Suite& suite, const std::vector<CaseResult>& results);

// One line: how many nodes saw a record, and which did not. `table`: and each node's in and out.
std::string coverage_report(const Suite& suite, const AllBooks& books, bool table);

// What JUnit's readers need of a suite.
struct JunitSuite {
  std::string name;
  struct Result {
    std::string name, message, details;  // message empty: passed
    double seconds = 0;
  };
  std::vector<Result> results;
};
JunitSuite junit_suite(const Suite& suite, const std::vector<CaseResult>& results);
std::string junit_xml(const std::vector<JunitSuite>& suites);

}  // namespace streamd::testing
