// SPDX-License-Identifier: Apache-2.0
// `x in list("name")`.
#include "engine/expr/scalar.h"

#include <string>

namespace streamd::expr {

std::uint8_t list_truth(const Context& context, const Node& node, const Value& element) {
  switch (element.kind()) {
    case Kind::null: return kFalse;
    case Kind::string:
    case Kind::ip:
    case Kind::cidr:
    case Kind::int64:
    case Kind::uint64: break;
    default: return kFailed;
  }
  for (const std::uint32_t at : node.lists)
    if (context.lists[at].find(element) != 0) return kTrue;
  return kFalse;
}

Value in_lists(Context& context, const Node& node, const Value& element) {
  const std::uint8_t truth = list_truth(context, node, element);
  if (truth != kFailed) return Value::boolean(truth == kTrue);
  return failure(context, "no overload: " + std::string(kind_name(element.kind())) +
                              " in list(…), which takes an address or a text");
}

}  // namespace streamd::expr
