// SPDX-License-Identifier: Apache-2.0
// The syntax tree: what the parser makes of a text, before any name is resolved. Const once made.
#pragma once

#include "engine/api/config_node.h"
#include "engine/core/arena.h"
#include "engine/core/value.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamd::expr {

// Shared by the syntax tree and by bound nodes (node.h).
enum class Op : std::uint8_t {
  constant,
  ident,     // syntax tree only
  field,     // bound only: a column
  variable,  // bound only: of a comprehension
  select,    // kids[0].name
  index,     // kids[0][kids[1]]
  call,      // with a receiver it is kids[0]
  list,
  map,  // key, value, key, value, …
  negate,
  not_,
  add,
  sub,
  mul,
  div,
  mod,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  in,
  and_,
  or_,  // two or more kids
  ternary,
  has,      // kids[0] is a select, ident or field
  in_list,  // bound only: kids[0] in list("name", …)
  // range, predicate; map_list: range, transform or range, predicate, transform
  all,
  exists,
  exists_one,
  map_list,
  filter,
};

const char* op_text(Op op);  // "+", "==", …; the macro's name

struct Ast {
  Op op = Op::constant;
  bool receiver = false;  // call: kids[0] stands before the dot
  bool quoted = false;    // ident: written in back quotes, so never the name of a type
  bool root = false;      // ident: written with a leading dot, so never a variable
  bool type = false;      // ident, select: `int` of type(x) == int, so no field of that name
  int depth = 1;          // of the tree below, this node included
  std::uint32_t offset = 0;
  std::uint32_t length = 1;
  std::string name;  // ident, select, call; macros: the variable
  Value literal;     // constant; points into ParsedExpression::arena
  std::vector<std::unique_ptr<Ast>> kids;
};
using AstPtr = std::unique_ptr<Ast>;

struct ParsedExpression {
  std::string text;
  ConfigNode where;        // scalar that holds the text; without children
  std::uint32_t base = 0;  // where the text begins inside the scalar (holes of templates)
  Arena arena{256};
  AstPtr root;

  Place place(std::uint32_t offset, std::uint32_t length) const {
    return where.place_at(base + offset, length);
  }
};

}  // namespace streamd::expr
