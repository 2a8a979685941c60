// SPDX-License-Identifier: Apache-2.0
// Lookup: a record's value in several lists, allow lists first. One per batch, on the thread of its
// operator. Private to match.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/value.h"
#include "engine/match/indicator_list.h"
#include "engine/match/list_slot.h"
#include "engine/match/question.h"

#include <array>
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
  // What a block is asked and answered with. An operator keeps it: clearing it costs more than a
  // look-up.
  struct Scratch {
    std::array<Question, kLookupBlock> asked;
    std::array<QuestionDigits, kLookupBlock> digits;
    std::array<IndicatorList::Hit, kLookupBlock> hits;
  };

  // Values that are read out of JSON lists live in the arena.
  Lookup(const std::vector<ListView>& lists, const std::vector<ListView>& allow, Scratch& scratch,
         Arena& arena)
      : lists_(lists), allow_(allow), scratch_(scratch), arena_(arena) {}

  // Up to kLookupBlock values of any kind, each with what it is found as; those that no list can
  // hold find nothing. Each is read once for all lists.
  void find(const Value* const* values, std::size_t count, Found* found);

 private:
  void find_singles(const Value* const* values, std::size_t count, Found* found);
  Found find_in_list(const Value& value);

  const std::vector<ListView>& lists_;
  const std::vector<ListView>& allow_;
  Scratch& scratch_;
  Arena& arena_;
};

}  // namespace streamd::match
