// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_fields.h"

#include "engine/codec/json_text.h"

namespace streamd {
namespace {

// Objects used as maps have keys without number; remembering more than this would only cost.
constexpr std::size_t kRemembered = 64;
constexpr std::size_t kMissesBeforeRelearning = 1024;

}  // namespace

JsonFields::JsonFields(const std::vector<std::string>& paths) {
  nodes_.emplace_back();
  for (std::size_t i = 0; i < paths.size(); ++i) add(0, paths[i], static_cast<int>(i));
}

std::size_t JsonFields::entry(std::size_t node, std::string_view name) {
  auto& entries = nodes_[node].entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].name == name) return i;
  }
  entries.push_back({std::string(name), -1, -1});
  return entries.size() - 1;
}

void JsonFields::add(std::size_t node, std::string_view path, int slot) {
  const std::size_t whole = entry(node, path);
  nodes_[node].entries[whole].slot = slot;
  nodes_[node].slots.push_back(slot);
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return;
  const std::size_t head = entry(node, path.substr(0, dot));
  int child = nodes_[node].entries[head].child;
  if (child < 0) {
    child = static_cast<int>(nodes_.size());
    nodes_[node].entries[head].child = child;
    nodes_.emplace_back();
  }
  add(static_cast<std::size_t>(child), path.substr(dot + 1), slot);
}

const JsonFields::Entry* JsonFields::find_elsewhere(Node& node, std::string_view key) {
  const auto result = [&](int index) {
    return index < 0 ? nullptr : &node.entries[static_cast<std::size_t>(index)];
  };
  for (std::size_t i = 0; i < node.order.size(); ++i) {
    if (node.order[i].key == key) {
      node.next = i + 1;
      return result(node.order[i].entry);
    }
  }
  std::string plain(key);
  std::size_t size = key.size();
  if (key.find('\\') != std::string_view::npos && unescape_json(key, plain.data(), size)) {
    plain.resize(size);
  }
  int index = -1;
  for (std::size_t i = 0; i < node.entries.size(); ++i) {
    if (node.entries[i].name == plain) index = static_cast<int>(i);
  }
  if (node.order.size() < kRemembered) {
    node.order.push_back({std::string(key), index});
    node.next = node.order.size();
  } else if (++node.misses > kMissesBeforeRelearning) {
    node.misses = 0;
    node.order.clear();
  }
  return result(index);
}

}  // namespace streamd
