// SPDX-License-Identifier: Apache-2.0
// One case, run on its bench: the engine's own worker, stepped, on a clock that only the case
// moves.
#pragma once

#include "engine/core/error.h"
#include "engine/runtime/accounting.h"
#include "engine/testing/bench.h"
#include "engine/testing/test_file.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace streamd::testing {

// A node's figures. The results of nodes that share their work (plan/share.cc) are their own, what
// went in and was left out is that of the node that works for them.
struct Books {
  std::uint64_t in = 0, out = 0, dead_letters = 0, failed = 0, clamped = 0;
  std::array<std::uint64_t, kDropReasons> dropped{};
};
Books operator+(Books a, const Books& b);
Books operator-(Books a, const Books& b);
using AllBooks = std::map<std::string, Books>;

// What was there when a case looked at a place.
struct Look {
  std::string place;
  Place name_place;          // of the place's name in the file
  const Expected* expected;  // null: nobody looked, this is what was left over at the end
  std::vector<std::string> rows, sent;
  Books books;
};

struct CaseRun {
  std::vector<Look> looks;
  std::vector<std::string> leftovers;            // dead letters that the case says nothing about
  std::map<std::string, std::uint64_t> clamped;  // sources with clamped times, not expected
  std::vector<Answers::Unanswered> unanswered;
  std::set<const ServiceAnswer*> answered;  // those of the file, too
  std::optional<Error> error;               // the run ended with it
  std::vector<std::string> warnings;        // of the run's log
  AllBooks books;
};

// `bench` is used up.
CaseRun run_case(const TestFile& file, const Case& the_case, Bench& bench);

}  // namespace streamd::testing
