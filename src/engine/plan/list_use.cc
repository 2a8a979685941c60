// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/list_use.h"

#include <algorithm>
#include <array>

namespace streamd {
namespace {

constexpr std::array<std::string_view, 3> kKeys = {"list", "lists", "allow"};

bool any_scalar(const ConfigNode& node, const std::string& text) {
  if (node.shape == ConfigNode::Shape::scalar) return node.text == text;
  return std::any_of(node.items.begin(), node.items.end(),
                     [&](const ConfigNode& item) { return any_scalar(item, text); });
}

// list("a", 'b'): the name stands in quotes somewhere behind the call.
bool calls(const std::string& expression, const std::string& list) {
  const std::size_t call = expression.find("list(");
  if (call == std::string::npos) return false;
  return expression.find("\"" + list + "\"", call) != std::string::npos ||
         expression.find("'" + list + "'", call) != std::string::npos;
}

bool asks(const ConfigNode& node, const std::string& list) {
  if (node.shape == ConfigNode::Shape::scalar) return calls(node.text, list);
  if (std::any_of(node.items.begin(), node.items.end(),
                  [&](const ConfigNode& item) { return asks(item, list); }))
    return true;
  return std::any_of(node.entries.begin(), node.entries.end(), [&](const ConfigEntry& entry) {
    const bool names = std::find(kKeys.begin(), kKeys.end(), entry.first.text) != kKeys.end();
    return (names && any_scalar(entry.second, list)) || asks(entry.second, list);
  });
}

}  // namespace

bool asks_list(const ConfigNode& body, const std::string& list) { return asks(body, list); }

bool mentions(const ConfigNode& body, const std::string& name) {
  if (body.shape == ConfigNode::Shape::scalar) return body.text.find(name) != std::string::npos;
  return std::any_of(body.items.begin(), body.items.end(),
                     [&](const ConfigNode& item) { return mentions(item, name); }) ||
         std::any_of(body.entries.begin(), body.entries.end(),
                     [&](const ConfigEntry& entry) { return mentions(entry.second, name); });
}

}  // namespace streamd
