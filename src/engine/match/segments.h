// SPDX-License-Identifier: Apache-2.0
// From an address to the most specific network that holds it. Nested networks are laid out side by
// side as segments, each with the number of the network that is in force there; a look-up finds the
// segment. Const once built; no look-up allocates. Many at once share their waits for memory.
//
// IPv4, many networks: one bit for each /24 says where something else begins than in the /24 before
// it, and counting bits gives the number of that run; a run is one network (or none) as a whole or
// a cell with what begins where in it. Three cache lines per look-up, whatever the list. 4 MiB +
// 4 B per run + 16 to 40 B per mixed /24 with up to seven beginnings, else 40 B + 4 B for each.
// Most addresses that are asked are on no list: while networks are in few of the /22, one bit for
// each says in which, 512 KiB that stay close to the processor.
// IPv4, few networks: a binary search, 8 B per segment.
// IPv6: a tree of cache lines over the upper halves of the addresses at which segments begin. Where
// several begin in one upper half they have a cell with their lower halves. One line beyond those
// that stay in the cache, two for an upper half with a cell. 15 B per upper half + 12 to 16 B per
// segment in a cell.
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
inline constexpr std::size_t kLookupBlock = 256;

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
  void build_known(const Segments<std::uint32_t>& segments);
  std::uint32_t add_cell(const Segments<std::uint32_t>& segments, std::size_t from, std::size_t to,
                         std::uint32_t carried);
  template <class Count>
  std::uint32_t in_cell(std::uint32_t run, std::uint32_t low, Count count_bits) const;
  void find_many(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids) const;
  template <class Count>
  void find_counting(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids,
                     Count count_bits) const;
  void find_with_popcnt(const std::uint32_t* addresses, std::size_t count,
                        std::uint32_t* ids) const;
  void find_few(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids) const;

  std::vector<std::uint32_t> starts_, start_ids_;  // few
  LargeArray<std::uint64_t> known_;                // many: /22 with a network; or empty
  LargeArray<Word> words_;                         // many
  LargeArray<std::uint32_t> runs_;
  LargeArray<std::uint64_t> cells_;
};

class V6Map {
 public:
  void build(const Segments<Uint128>& segments);
  bool empty() const { return leaves_.empty(); }
  std::uint32_t find(Uint128 address) const {
    std::uint32_t id = 0;
    find(&address, 1, &id);
    return id;
  }
  // Up to kLookupBlock of them.
  void find(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const;
  // The same on any processor.
  void find_plain(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const;
  std::size_t bytes() const;

 private:
  static constexpr std::size_t kKeys = 5, kNode = 8;
  static constexpr unsigned kIdBits = 26;
  static constexpr std::uint32_t kIdMask = (1u << kIdBits) - 1;

  // Upper halves, ascending, and what is in force from each on: the number of a network, or a cell,
  // which is asked only for addresses of just that upper half; behind it, what was in force before.
  // ids[0] is in force before the first; above kIdBits it says which keys have a cell. Filled up
  // with the largest key. Keys have their highest bit turned over, as it is signed numbers that
  // processors compare side by side.
  struct Leaf {
    std::array<std::int64_t, kKeys> keys;
    std::array<std::uint32_t, kKeys + 1> ids;
  };
  static_assert(sizeof(Leaf) == 64);
  // A cell is its place in cells_ and how many segments begin in it; 0: the word there says it.
  // Their lower halves, then their numbers. Four words at most for an entry: 28 bits suffice.
  static constexpr unsigned kCountShift = 28;
  static constexpr std::uint32_t kPlace = (1u << kCountShift) - 1;

  class LeafWriter;
  struct Plain;
  struct Avx2;
  template <class Look>
  void find_by(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const;
  void find_wide(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const;
  std::uint32_t add_cell(const Segments<Uint128>& segments, std::size_t from, std::size_t to,
                         bool carries);
  std::uint32_t in_cell(std::uint32_t cell, std::uint64_t low, std::uint32_t before) const;

  LargeArray<Leaf> leaves_;
  // layers_[0]: the first key of each leaf; each further one has every eighth of the one below.
  // Filled up to whole nodes with the largest key.
  std::vector<LargeArray<std::int64_t>> layers_;
  LargeArray<std::uint64_t> cells_;
};

}  // namespace streamd
