// SPDX-License-Identifier: Apache-2.0
// Lookup: a record's value in several lists, allow lists first. One per batch. Private to match.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/value.h"
#include "engine/match/indicator_list.h"
#include "engine/match/list_slot.h"

#include <cstddef>
#include <vector>

namespace streamd::match {

struct Found {
  IndicatorList::Hit hit = 0;  // 0: nothing
  std::size_t list = 0;
  std::size_t field = 0;
  Value value;  // what matched: the value, or one of its elements
};

class Lookup {
 public:
  // Values that are read out of JSON lists live in the arena.
  Lookup(const std::vector<ListView>& lists, const std::vector<ListView>& allow, Arena& arena)
      : lists_(lists), allow_(allow), arena_(arena) {}

  // Up to kLookupBlock values of any kind, each with what it is found as; those that no list can
  // hold find nothing. Each is read once for all lists.
  void find(const Value* const* values, std::size_t count, Found* found);

 private:
  void find_singles(const Value* const* values, std::size_t count, Found* found) const;
  Found find_in_list(const Value& value);

  const std::vector<ListView>& lists_;
  const std::vector<ListView>& allow_;
  Arena& arena_;
};

}  // namespace streamd::match
