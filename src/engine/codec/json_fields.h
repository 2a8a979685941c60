// SPDX-License-Identifier: Apache-2.0
// JsonFields: dotted paths as a tree of keys, and per object the order in which keys came last
// time. Private to codec/; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class JsonFields {
 public:
  // A key that matters inside one object.
  struct Entry {
    std::string name;
    int slot = -1;   // the value itself is this column
    int child = -1;  // inside the value, look for the keys of this node
  };

  // "a.b" is entered twice: as key "a.b", and as key "b" below "a".
  explicit JsonFields(const std::vector<std::string>& paths);

  // Node 0 is the record. Call when an object begins.
  void begin(int node) { nodes_[static_cast<std::size_t>(node)].next = 0; }
  // The entry for a key as it stands between its quotes, or null. Costs a comparison as long as
  // keys come in the same order as before.
  const Entry* find(int node, std::string_view key) {
    Node& n = nodes_[static_cast<std::size_t>(node)];
    if (n.next < n.order.size()) [[likely]] {
      const Seen& seen = n.order[n.next];
      if (seen.key.size() == key.size() && same(seen.key.data(), key.data(), key.size())) {
        ++n.next;
        return seen.entry < 0 ? nullptr : &n.entries[static_cast<std::size_t>(seen.entry)];
      }
    }
    return find_elsewhere(n, key);
  }
  // The last find() is to be asked again.
  void step_back(int node) {
    Node& n = nodes_[static_cast<std::size_t>(node)];
    if (n.next > 0) --n.next;
  }
  // Columns that are found somewhere below the node.
  const std::vector<int>& slots_below(int node) const {
    return nodes_[static_cast<std::size_t>(node)].slots;
  }

 private:
  struct Seen {
    std::string key;
    int entry;
  };
  struct Node {
    std::vector<Entry> entries;
    std::vector<Seen> order;
    std::size_t next = 0;
    std::size_t misses = 0;
    std::vector<int> slots;
  };

  // Keys are short: a call of memcmp would cost more than the comparison.
  static bool same(const char* a, const char* b, std::size_t size) {
    const auto differ = [&](std::size_t at, auto word) {
      auto x = word, y = word;
      std::memcpy(&x, a + at, sizeof word);
      std::memcpy(&y, b + at, sizeof word);
      return x != y;
    };
    if (size >= 8) {
      for (std::size_t i = 0; i + 8 < size; i += 8) {
        if (differ(i, std::uint64_t{})) return false;
      }
      return !differ(size - 8, std::uint64_t{});
    }
    if (size >= 4) return !differ(0, std::uint32_t{}) && !differ(size - 4, std::uint32_t{});
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  void add(std::size_t node, std::string_view path, int slot);
  std::size_t entry(std::size_t node, std::string_view name);
  static const Entry* find_elsewhere(Node& node, std::string_view key);

  std::vector<Node> nodes_;
};

}  // namespace streamd
