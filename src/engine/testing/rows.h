// SPDX-License-Identifier: Apache-2.0
// Rows that came against rows that were expected: which belong together, and where they differ.
// Pure.
#pragma once

#include "engine/api/config_node.h"
#include "engine/core/arena.h"
#include "engine/core/value.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace streamd::testing {

// The rows of a place, read; borrows the arena and the texts.
std::vector<Value> read_rows(const std::vector<std::string>& rows, std::size_t from, Arena& arena);

struct Difference {
  std::string path;                      // dotted; elements of lists by number
  const ConfigNode* expected = nullptr;  // null: the row has a field that nobody expected
  Value actual;                          // missing: the row lacks it
};

// Equal: numbers by value (as far as doubles tell), times in RFC 3339 by the moment, everything
// else by type and text. A map must have the fields that are named ("a.b" also inside a), and with
// `exact` no other; lists have the same length.
std::vector<Difference> differences(const ConfigNode& expected, const Value& actual, bool exact);

// What became of a row: index into the expected ones, the actual ones, or both. Both and
// different: they resemble each other most of what is left over.
struct Pair {
  std::optional<std::size_t> expected, actual;
  bool equal = false;
};
// In the order of the expected rows, then those that nobody expected. In any order: as many equal
// pairs as there can be. In order: as long a run of them as there can be.
std::vector<Pair> pair_rows(const std::vector<ConfigNode>& expected,
                            const std::vector<Value>& actual, bool exact, bool in_order);

}  // namespace streamd::testing
