// SPDX-License-Identifier: Apache-2.0
// The functions of the language: one table row each, with what the check needs to know.
#pragma once

#include "engine/core/value.h"
#include "engine/expr/node.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::expr {

struct AddedFunction;  // function_scope.h

struct Call {
  Context& context;
  const Node& node;
  const Value* args;  // the receiver first; none is missing or an error
  std::size_t count;

  const Value& operator[](std::size_t i) const { return args[i]; }
};
using Kernel = Value (*)(const Call&);

enum class CallStyle : std::uint8_t { global, member };

// Set of types, for the check. Type::any passes always.
using TypeSet = std::uint32_t;
constexpr TypeSet set_of(Type t) { return TypeSet{1} << static_cast<unsigned>(t); }
template <class... T>
constexpr TypeSet set_of(Type first, T... rest) {
  return (set_of(first) | ... | set_of(rest));
}
inline constexpr TypeSet kAnyType = ~TypeSet{0};
inline constexpr TypeSet kText = set_of(Type::string);
inline constexpr TypeSet kNumber = set_of(Type::int64, Type::uint64, Type::float64);
inline constexpr TypeSet kListLike = set_of(Type::list, Type::json);
inline constexpr TypeSet kMapLike = set_of(Type::map, Type::json);

struct Function {
  std::string_view name;
  CallStyle style = CallStyle::global;
  std::uint8_t min_args = 1;  // the receiver counts
  std::uint8_t max_args = 1;
  Type result = Type::any;
  TypeSet accepts[3] = {kAnyType, kAnyType,
                        kAnyType};  // further arguments as the third, see takes()
  Kernel kernel = nullptr;
  bool takes_zone = false;               // the second argument is a time zone
  const AddedFunction* added = nullptr;  // what the kernel calls, for one that is not built in
  // For people: what it gives, in a line or two; and an expression that is true. Built-in ones have
  // both.
  std::string_view help = {};
  std::string_view example = {};
  TypeSet fourth = 0;  // what the fourth argument may be, where that is not as the third

  constexpr TypeSet takes(std::size_t argument) const {
    return argument == 3 && fourth != 0 ? fourth : accepts[argument < 3 ? argument : 2];
  }
  constexpr Function fourth_of(TypeSet types) const {
    Function with = *this;
    with.fourth = types;
    return with;
  }
  constexpr Function doc(std::string_view line, std::string_view truth) const {
    Function with = *this;
    with.help = line;
    with.example = truth;
    return with;
  }
};

struct FunctionGroup {
  std::string_view title;
  std::span<const Function> functions;
};

const Function* find_function(std::string_view name, CallStyle style);
std::vector<std::string> function_names(CallStyle style);

// All that are built in, as the reference shows them.
std::span<const FunctionGroup> function_groups();
// "string.indexOf(string[, int]) -> int": with the types that it takes and gives.
std::string signature(const Function& function);

// The parts of the table.
std::span<const Function> basic_functions();
std::span<const Function> string_functions();
std::span<const Function> time_functions();
std::span<const Function> network_functions();

}  // namespace streamd::expr
