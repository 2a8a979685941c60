// SPDX-License-Identifier: Apache-2.0
// The right side of `field in ['a', 'b', …]`: a constant list, looked up by hash. Const once built.
#pragma once

#include "engine/expr/scalar.h"

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace streamd::expr {

class ConstantSet {
 public:
  // The list must outlive the set.
  explicit ConstantSet(const Value& list);

  bool has_string(std::string_view text) const { return strings_.contains(text); }
  // Any kind but missing and error; equality as ==.
  bool has(Context& context, const Value& value) const;

 private:
  absl::flat_hash_set<std::string_view> strings_;
  absl::flat_hash_set<std::int64_t> ints_;
  std::vector<Value> others_;
  Value list_;
};

}  // namespace streamd::expr
