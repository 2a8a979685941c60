// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/functions.h"

#include <fmt/format.h>

namespace streamd::expr {
namespace {

std::string types_of(TypeSet set) {
  if (set == kAnyType) return "any";
  std::string out;
  for (unsigned t = 0; t < 32; ++t)
    if ((set >> t & 1) != 0) {
      out += out.empty() ? "" : "|";
      out += type_name(static_cast<Type>(t));
    }
  return out;
}

}  // namespace

std::string signature(const Function& function) {
  std::string out;
  const auto types = [&](unsigned i) { return types_of(function.takes(i)); };
  unsigned at = 0;
  if (function.style == CallStyle::member) {
    out = types(at++);
    out = (out.find('|') == std::string::npos ? out : "(" + out + ")") + ".";
  }
  out += std::string(function.name) + "(";
  const unsigned first = at;
  // One that takes any number of arguments takes as many as anybody writes.
  const bool many = function.max_args > 4;
  for (; at < (many ? function.min_args + 1u : function.max_args); ++at) {
    const std::string_view comma = at > first ? ", " : "";
    if (at < function.min_args)
      out += fmt::format("{}{}", comma, types(at));
    else
      out += fmt::format("[{}{}{}]", comma, types(at), many ? ", ..." : "");
  }
  return out + fmt::format(") -> {}", type_name(function.result));
}

}  // namespace streamd::expr
