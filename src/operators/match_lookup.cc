// SPDX-License-Identifier: Apache-2.0
#include "operators/match_lookup.h"

#include "engine/expr/json_reader.h"

#include <algorithm>
#include <array>

namespace streamd::match {
namespace {

constexpr std::size_t kListBlock = 32;  // most lists of a record are short

// A value that was allowed or found is no question any more.
void answered(Question& question) {
  question.kind = Question::Kind::nothing;
  question.text = {};
}

}  // namespace

void Lookup::find_singles(const Value* const* values, std::size_t count, Found* found) {
  auto& [asked, digits, hits] = scratch_;
  for (std::size_t i = 0; i < count; ++i) asked[i] = question_of(*values[i], digits[i]);
  for (const ListView& allowed : allow_) {
    if (!allowed.list) continue;
    allowed.list->find(asked.data(), count, allowed.now, hits.data());
    for (std::size_t i = 0; i < count; ++i)
      if (hits[i] != 0) answered(asked[i]);
  }
  for (std::size_t l = 0; l < lists_.size(); ++l) {
    if (!lists_[l].list) continue;
    lists_[l].list->find(asked.data(), count, lists_[l].now, hits.data());
    for (std::size_t i = 0; i < count; ++i) {
      if (hits[i] == 0) continue;
      found[i] = {hits[i], l, 0, *values[i]};
      answered(asked[i]);
    }
  }
}

// Of a list of values the first that is found.
Found Lookup::find_in_list(const Value& value) {
  Value many = value;
  if (value.is(Kind::json)) {
    if (!value.text().starts_with('[')) return {};
    many = expr::read_json(value.text(), arena_);
  }
  if (!many.is(Kind::list)) return {};
  for (std::size_t first = 0; first < many.size(); first += kListBlock) {
    const std::size_t count = std::min<std::size_t>(kListBlock, many.size() - first);
    std::array<const Value*, kListBlock> values;
    std::array<Found, kListBlock> found{};
    for (std::size_t i = 0; i < count; ++i) values[i] = &many.items()[first + i];
    find_singles(values.data(), count, found.data());
    for (std::size_t i = 0; i < count; ++i)
      if (found[i].hit != 0) return found[i];
  }
  return {};
}

void Lookup::find(const Value* const* values, std::size_t count, Found* found) {
  find_singles(values, count, found);
  for (std::size_t i = 0; i < count; ++i)
    if (values[i]->is(Kind::json) || values[i]->is(Kind::list)) found[i] = find_in_list(*values[i]);
}

}  // namespace streamd::match
