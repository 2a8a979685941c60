// SPDX-License-Identifier: Apache-2.0
// FunctionScope: functions for expressions that are not built in. The plugin loader fills it before
// any pipeline is read; const afterwards, shared by all. Expressions see it through the schema that
// they are bound to (core/schema.h).
#pragma once

#include "engine/core/arena.h"
#include "engine/core/value.h"
#include "engine/expr/functions.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::expr {

struct AddedFunction {
  std::string name;
  std::string summary;  // for people
  std::string plugin;   // who brings it
  CallStyle style = CallStyle::global;
  std::uint8_t min_args = 1;  // the receiver counts
  std::uint8_t max_args = 1;
  Type result = Type::any;
  TypeSet accepts[3] = {kAnyType, kAnyType, kAnyType};  // further arguments as the third
  // No argument is missing or an error. The result points into the arena, an argument or what lives
  // as long as the process; a failure is Kind::error. Any thread, at the same time too.
  std::function<Value(Arena& arena, const Value* args, std::size_t count)> call;
};

class FunctionScope {
 public:
  FunctionScope() = default;
  FunctionScope(const FunctionScope&) = delete;  // rows point into it
  FunctionScope& operator=(const FunctionScope&) = delete;
  FunctionScope(FunctionScope&&) = default;

  // The name must not be taken: neither here nor by a function that is built in.
  void add(AddedFunction function);
  // Null: no such function. Valid as long as the scope.
  const Function* find(std::string_view name, CallStyle style) const;
  const std::deque<AddedFunction>& all() const { return added_; }
  // One with the same functions, to which others can be added.
  FunctionScope copy() const;

 private:
  std::deque<AddedFunction> added_;  // rows point to them
  std::deque<Function> rows_;
};

}  // namespace streamd::expr
