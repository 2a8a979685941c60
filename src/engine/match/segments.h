// SPDX-License-Identifier: Apache-2.0
// From an address to the most specific network that holds it. Nested networks are laid out side by
// side as segments, each with the number of the network that is in force there; a look-up finds the
// segment. Const once built; no look-up allocates. Many at once share their waits for memory.
//
// IPv4, many networks: one bit for each /24 says where something else begins than in the /24 before
// it, and counting bits gives the number of that run; a run is one network (or none) as a whole or
// a cell with what begins where in it. Three cache lines per look-up, whatever the list. 4 MiB +
// 4 B per run + 16 to 40 B per mixed /24 with up to seven beginnings, else 40 B + 4 B for each.
// IPv4, few networks: a binary search, 8 B per segment.
// IPv6: a tree of cache lines over the upper halves of the addresses at which segments begin, then
// a search among those with the same upper half. 14 B per upper half + 12 B per segment.
#pragma once

#include "engine/core/hash.h"
#include "engine/match/large_array.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace streamd {

// Segments in ascending order; the first begins at 0. id 0: no network.
template <class Key>
struct Segments {
  std::vector<Key> starts;
  std::vector<std::uint32_t> ids;

  void reserve(std::size_t count) {
    starts.reserve(count);
    ids.reserve(count);
  }
  void add(Key start, std::uint32_t id) {
    if (!starts.empty() && starts.back() == start) {
      ids.back() = id;
      return;
    }
    starts.push_back(start);
    ids.push_back(id);
  }
};

// How many look-ups go together at most.
inline constexpr std::size_t kLookupBlock = 64;

class V4Map {
 public:
  void build(Segments<std::uint32_t> segments);
  bool empty() const { return starts_.empty() && words_.empty(); }
  // 0: none.
  std::uint32_t find(std::uint32_t address) const {
    std::uint32_t id = 0;
    find(&address, 1, &id);
    return id;
  }
  // Up to kLookupBlock of them.
  void find(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids) const;
  std::size_t bytes() const;

 private:
  // 64 slots (/24). `before`: what is in force where the word begins.
  struct Word {
    std::uint64_t bits = 0;
    std::uint32_t rank = 0;
    std::uint32_t before = 0;
  };
  // A run is the number of a network, or kMixed with the place of a cell in cells_ and how many
  // beginnings it has behind its first; 0: too many, it is a bit map.
  static constexpr std::uint32_t kMixed = 1u << 31;
  static constexpr unsigned kCountShift = 28;
  static constexpr std::size_t kSmall = 7;
  static constexpr std::uint32_t kPlace = (1u << kCountShift) - 1;

  void build_directory(const Segments<std::uint32_t>& segments);
  std::uint32_t add_cell(const Segments<std::uint32_t>& segments, std::size_t from, std::size_t to,
                         std::uint32_t carried);
  template <class Count>
  std::uint32_t in_cell(std::uint32_t run, std::uint32_t low, Count count_bits) const;
  template <class Count>
  void find_counting(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids,
                     Count count_bits) const;
  void find_with_popcnt(const std::uint32_t* addresses, std::size_t count,
                        std::uint32_t* ids) const;
  void find_few(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids) const;

  std::vector<std::uint32_t> starts_, start_ids_;  // few
  LargeArray<Word> words_;                         // many
  LargeArray<std::uint32_t> runs_;
  LargeArray<std::uint64_t> cells_;
};

class V6Map {
 public:
  void build(Segments<Uint128> segments);
  bool empty() const { return layers_.empty(); }
  std::uint32_t find(Uint128 address) const {
    std::uint32_t id = 0;
    find(&address, 1, &id);
    return id;
  }
  // Up to kLookupBlock of them.
  void find(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const;
  std::size_t bytes() const;

 private:
  static constexpr std::size_t kNode = 8;  // keys in a cache line

  // layers_[0]: the upper halves, ascending; each further one has every eighth of the one below.
  // Filled up to whole nodes with the largest key.
  std::vector<LargeArray<std::uint64_t>> layers_;
  // Of each upper half: its last segment's number, kSeveral beside it when that is not in force for
  // all of it; and its first segment. One more at the end.
  struct Top {
    std::uint32_t last_id, first;
  };
  LargeArray<Top> tops_;
  LargeArray<std::uint64_t> lows_;  // of each segment, the lower half where it begins
  LargeArray<std::uint32_t> ids_;
  static constexpr std::uint32_t kSeveral = 1u << 31;
};

}  // namespace streamd
