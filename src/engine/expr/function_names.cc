// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/function_names.h"

#include "engine/expr/functions.h"
#include "engine/expr/parser.h"

#include <algorithm>
#include <array>
#include <string>

namespace streamd::expr {
namespace {

constexpr std::array<std::string_view, 8> kLikeCalls = {"has", "all",    "exists", "exists_one",
                                                        "map", "filter", "list",   "existsOne"};

// The parser knows the words that are reserved, and the literals.
bool can_be_called(std::string_view name) {
  ParsedExpression parsed;
  SyntaxError ignored;
  return parse_text(std::string(name) + "(x)", parsed, ignored) && parsed.root->op == Op::call &&
         parsed.root->name == name;
}

}  // namespace

bool is_free_for_function(std::string_view name) {
  return std::find(kLikeCalls.begin(), kLikeCalls.end(), name) == kLikeCalls.end() &&
         find_function(name, CallStyle::global) == nullptr &&
         find_function(name, CallStyle::member) == nullptr && can_be_called(name);
}

}  // namespace streamd::expr
