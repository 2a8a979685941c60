// SPDX-License-Identifier: Apache-2.0
// What is known of the values that a condition looks at, and what follows from it: a threshold that
// nothing can reach. Sound and no more: what cannot be shown to be impossible is possible.
#pragma once

#include "engine/api/field_type.h"

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd::expr {

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;  // low itself is not in it
  bool high_open = false;
};

struct Limits {
  std::map<std::string, Range> ranges;                     // of fields, where they are numbers
  std::vector<std::pair<std::string, std::string>> order;  // the first is never above the second
};

// Why a condition is never true, and the part of it that cannot be.
struct NeverTrue {
  Place place;
  std::string reason;  // "busy is between 0 and 1"
};

// Why a condition can never be true, if that is certain; looks at numbers, and at texts that cannot
// be two at once. An error is not true either. nullopt too where the text does not parse.
std::optional<NeverTrue> never_true(const ExprText& condition, const Limits& limits);

// Warns where a condition is never true. `what` is its name for people: where, having. Nothing when
// there is none.
void warn_never_true(const std::optional<ExprText>& condition, const Limits& limits,
                     const std::string& what, const std::string& hint, Diagnostics& problems);

}  // namespace streamd::expr
