// SPDX-License-Identifier: Apache-2.0
// Bound nodes: a syntax tree whose names are columns, whose functions are pointers and whose
// constants are computed. Const once made (bind.cc); shared by workers. Internal to expr.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "engine/core/value.h"
#include "engine/expr/ast.h"
#include "engine/expr/expression.h"
#include "engine/match/list_slot.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}

namespace streamd::expr {

struct Function;
class ConstantSet;
class FunctionScope;

struct Node {
  Op op = Op::constant;
  Type type = Type::any;
  bool cheap = false;      // costs a few nanoseconds a row: not worth narrowing the rows first
  std::uint32_t slot = 0;  // field: column; variable, macros: index into Context::variables
  Value constant;          // constant: its value. field: the error when the record has none
  std::string name;        // select: the field
  const Function* function = nullptr;
  std::shared_ptr<const re2::RE2> pattern;  // call of matches() with a constant pattern
  std::shared_ptr<const ConstantSet> set;   // in with a constant list
  std::vector<std::uint32_t> lists;         // in_list: indices into CompiledProgram::lists
  std::vector<std::unique_ptr<Node>> kids;
};
using NodePtr = std::unique_ptr<Node>;

struct CompiledProgram {
  std::shared_ptr<const ParsedExpression> parsed;      // its literals are constants of the tree
  Arena arena{256};                                    // folded constants and reasons
  std::vector<std::shared_ptr<const ListSlot>> lists;  // that it names
  std::shared_ptr<const FunctionScope> functions;      // keeps alive what the tree calls
  NodePtr root;
};

// What one evaluation needs. `budget` is what the current record may still cost.
struct Context {
  Arena& arena;
  std::uint64_t budget = kMaxCost;
  const Batch* batch = nullptr;     // null while constants are folded
  std::uint32_t row = 0;            // physical
  const ListView* lists = nullptr;  // of the program's lists, taken once per evaluation
  Value* variables = nullptr;       // of the macros around, by slot; made when one is reached

  static constexpr std::size_t kVariables = static_cast<std::size_t>(kMaxDepth) + 1;
  Value& variable(std::uint32_t slot) {
    if (variables == nullptr) variables = arena.values(kVariables);
    return variables[slot];
  }
  // False: the record has used up its budget.
  bool spend(std::uint64_t steps) {
    if (steps > budget) {
      budget = 0;
      return false;
    }
    budget -= steps;
    return true;
  }
};

// One record through the tree. Never gives Kind::missing. Semantics of scalars are in scalar.h.
Value interpret(Context& context, const Node& node);
// The node's own operation on settled arguments (none missing, none an error): select, index, call,
// negate, not_, arithmetic, comparisons, in, list, map.
Value apply(Context& context, const Node& node, const Value* args, std::size_t count);

// Rows to work on: physical indices, or 0 … count-1 when index is null.
struct RowSet {
  const std::uint32_t* index = nullptr;
  std::uint32_t count = 0;
};

// Truth of a row. Bits, so that a column of them combines without branches.
inline constexpr std::uint8_t kFalse = 1, kTrue = 2, kFailed = 0;

// A column at a time (columns.cc, conditions.cc): both write the entries of `rows` only.
void fill_values(Context& context, const Node& node, RowSet rows, Value* out);
void fill_truth(Context& context, const Node& node, RowSet rows, std::uint8_t* out);

}  // namespace streamd::expr
