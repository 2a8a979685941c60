// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/function_scope.h"

#include <algorithm>
#include <utility>

namespace streamd::expr {
namespace {

Value call_added(const Call& call) {
  return call.node.function->added->call(call.context.arena, call.args, call.count);
}

}  // namespace

void FunctionScope::add(AddedFunction function) {
  const AddedFunction& added = added_.emplace_back(std::move(function));
  Function row{added.name, added.style, added.min_args, added.max_args, added.result};
  std::copy(std::begin(added.accepts), std::end(added.accepts), std::begin(row.accepts));
  row.kernel = call_added;
  row.added = &added;
  rows_.push_back(row);
}

FunctionScope FunctionScope::copy() const {
  FunctionScope other;
  for (const AddedFunction& function : added_) other.add(function);
  return other;
}

const Function* FunctionScope::find(std::string_view name, CallStyle style) const {
  for (const Function& row : rows_)
    if (row.name == name && row.style == style) return &row;
  return nullptr;
}

}  // namespace streamd::expr
