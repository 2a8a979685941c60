// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/source_use.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace streamd {
namespace {

std::set<std::size_t> sources_of(const Draft& draft, std::size_t node) {
  std::set<std::size_t> seen, sources;
  std::vector<std::size_t> open = {node};
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    if (!seen.insert(at).second) continue;
    if (draft.nodes[at].node.kind == PlanNode::Kind::source) sources.insert(at);
    for (const auto& input : draft.nodes[at].inputs)
      if (input.node) open.push_back(*input.node);
  }
  return sources;
}

// Of fields that were made on the way nobody knows what they were made of.
bool is_plain_key(const DraftNode& node, const std::vector<std::string>& keys) {
  return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
    const auto column = node.node.in.find(key);
    const bool name = std::all_of(key.begin(), key.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '@';
    });
    return name && (!column || !node.node.in.fields[*column].derived);
  });
}

SourceUse use_of(const DraftNode& node) {
  SourceUse use;
  use.node = node.node.name;
  use.span = duration_of(window_length(*node.body));
  if (auto keys = node.node.op->key_fields(); is_plain_key(node, keys)) use.keys = std::move(keys);
  return use;
}

}  // namespace

std::optional<Duration> duration_of(const ConfigNode* node) {
  if (node == nullptr || node->shape != ConfigNode::Shape::scalar) return std::nullopt;
  return parse_duration(node->text);
}

const ConfigNode* window_length(const ConfigNode& body) {
  const ConfigNode* window = body.find("window");
  if (window == nullptr || window->shape != ConfigNode::Shape::map) return nullptr;
  for (const char* key : {"tumbling", "sliding"})
    if (const ConfigNode* length = window->find(key)) return length;
  const ConfigNode* session = window->find("session");
  return session == nullptr ? nullptr : session->find("max");
}

std::vector<NodeUse> uses_of_sources(const Draft& draft) {
  std::vector<NodeUse> uses;
  for (std::size_t i = 0; i < draft.document.nodes.size() && i < draft.nodes.size(); ++i) {
    const DraftNode& node = draft.nodes[i];
    if (node.node.op == nullptr || node.body == nullptr || !node.node.op->stateful()) continue;
    for (const std::size_t source : sources_of(draft, i)) uses.push_back({i, source, use_of(node)});
  }
  return uses;
}

void note_uses(Draft& draft) {
  for (NodeUse& found : uses_of_sources(draft))
    draft.nodes[found.source].node.uses.push_back(std::move(found.use));
}

}  // namespace streamd
