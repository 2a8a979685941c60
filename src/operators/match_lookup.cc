// SPDX-License-Identifier: Apache-2.0
#include "operators/match_lookup.h"

#include "engine/expr/json_reader.h"

#include <algorithm>

namespace streamd::match {

Found Lookup::find_one(const Value& value) const {
  for (const ListView& allowed : allow_)
    if (allowed.find(value) != 0) return {};
  for (std::size_t l = 0; l < lists_.size(); ++l)
    if (const auto hit = lists_[l].find(value); hit != 0) return {hit, l, 0, value};
  return {};
}

Found Lookup::find(const Value& value) {
  if (!value.is(Kind::json) && !value.is(Kind::list)) return find_one(value);
  Value many = value;
  if (value.is(Kind::json)) {
    if (!value.text().starts_with('[')) return {};
    many = expr::read_json(value.text(), arena_);
  }
  if (!many.is(Kind::list)) return {};
  for (std::uint32_t i = 0; i < many.size(); ++i)
    if (auto found = find_one(many.items()[i]); found.hit != 0) return found;
  return {};
}

}  // namespace streamd::match
