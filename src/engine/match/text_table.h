// SPDX-License-Identifier: Apache-2.0
// A hash table from texts to entry numbers. The texts stay where they are: the caller compares.
// Open addressing, 8 bytes a slot, at most 70 % full. Hashes are seeded by the caller.
#pragma once

#include "engine/match/large_array.h"

#include <cstddef>
#include <cstdint>

namespace streamd {

class TextTable {
 public:
  // For so many texts; once, before insert().
  void reserve(std::size_t texts) {
    std::size_t slots = 16;
    while (slots * 7 < texts * 10) slots *= 2;
    slots_.assign(texts == 0 ? 0 : slots, 0);
  }
  bool empty() const { return slots_.empty(); }

  // Fetches what find() and candidate() look at first.
  void prefetch(std::uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  // An entry that find() would ask about, the first of them; 0: it would find none.
  std::uint32_t candidate(std::uint64_t hash) const {
    return find(hash, [](std::uint32_t) { return true; });
  }
  // The entry for which same(entry) is true; 0: none.
  template <class Same>
  std::uint32_t find(std::uint64_t hash, Same same) const {
    if (slots_.empty()) return 0;
    const std::size_t mask = slots_.size() - 1;
    const std::uint64_t tag = hash >> 32 << 32;
    for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
      const auto entry = static_cast<std::uint32_t>(slots_[at]);
      if ((slots_[at] ^ tag) >> 32 == 0 && same(entry)) return entry;
    }
    return 0;
  }
  // entry > 0; not there yet.
  void insert(std::uint64_t hash, std::uint32_t entry) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = (hash >> 32 << 32) | entry;
  }
  std::size_t bytes() const { return slots_.capacity() * sizeof(std::uint64_t); }

 private:
  LargeArray<std::uint64_t> slots_;  // upper half of the hash, entry
};

}  // namespace streamd
