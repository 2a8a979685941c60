// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/constant_set.h"

namespace streamd::expr {

ConstantSet::ConstantSet(const Value& list) : list_(list) {
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    const Value& item = list.items()[i];
    if (item.is(Kind::string))
      strings_.insert(item.text());
    else if (item.is(Kind::int64))
      ints_.insert(item.as_int());
    else
      others_.push_back(item);
  }
}

bool ConstantSet::has(Context& context, const Value& value) const {
  if (value.is(Kind::string)) return strings_.contains(value.text());
  if (value.is(Kind::int64) && ints_.contains(value.as_int())) return true;
  if (value.is(Kind::float64) || value.is(Kind::uint64)) {
    for (std::uint32_t i = 0; i < list_.size(); ++i)
      if (equal(context, value, list_.items()[i])) return true;
    return false;
  }
  for (const Value& other : others_)
    if (equal(context, value, other)) return true;
  return false;
}

}  // namespace streamd::expr
