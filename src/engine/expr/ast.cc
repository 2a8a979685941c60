// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/ast.h"

namespace streamd::expr {

const char* op_text(Op op) {
  switch (op) {
    case Op::negate:
    case Op::sub: return "-";
    case Op::not_: return "!";
    case Op::add: return "+";
    case Op::mul: return "*";
    case Op::div: return "/";
    case Op::mod: return "%";
    case Op::eq: return "==";
    case Op::ne: return "!=";
    case Op::lt: return "<";
    case Op::le: return "<=";
    case Op::gt: return ">";
    case Op::ge: return ">=";
    case Op::in:
    case Op::in_list: return "in";
    case Op::and_: return "&&";
    case Op::or_: return "||";
    case Op::ternary: return "?:";
    case Op::has: return "has";
    case Op::all: return "all";
    case Op::exists: return "exists";
    case Op::exists_one: return "exists_one";
    case Op::map_list: return "map";
    case Op::filter: return "filter";
    default: return "";
  }
}

}  // namespace streamd::expr
