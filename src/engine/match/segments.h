// SPDX-License-Identifier: Apache-2.0
// From an address to the most specific network that holds it. Nested networks are laid out side by
// side as segments, each with the number of the network that is in force there; a look-up finds the
// segment. Const once built; no look-up allocates.
//
// IPv4, many networks: one bit for each /24 says where something else begins than in the /24 before
// it, and counting bits gives the number of that run; a run is one network (or none) as a whole or
// a block with one bit for each of its 256 addresses, counted in the same way. Two or three cache
// lines per look-up, whatever the list. 4 MiB + 4 B per run + 40 B per mixed /24 + 4 B per segment.
// IPv4, few networks: a binary search, 8 B per segment.
// IPv6: a search among the /32 that occur, then inside one. 20 B per segment + 8 B per /32.
#pragma once

#include "engine/core/hash.h"

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

  void add(Key start, std::uint32_t id) {
    if (!starts.empty() && starts.back() == start) {
      ids.back() = id;
      return;
    }
    starts.push_back(start);
    ids.push_back(id);
  }
};

class V4Map {
 public:
  void build(Segments<std::uint32_t> segments);
  bool empty() const { return starts_.empty() && words_.empty(); }
  // 0: none.
  std::uint32_t find(std::uint32_t address) const;
  std::size_t bytes() const;

 private:
  // 64 slots (/24). `before`: what is in force where the word begins.
  struct Word {
    std::uint64_t bits = 0;
    std::uint32_t rank = 0;
    std::uint32_t before = 0;
  };
  struct Block {
    std::array<std::uint64_t, 4> bits = {};
    std::uint32_t base = 0;
    std::array<std::uint8_t, 4> before = {};  // bits in the words before this one
  };
  static constexpr std::uint32_t kMixed = 1u << 31;

  void build_directory(const Segments<std::uint32_t>& segments);
  void add_block(const Segments<std::uint32_t>& segments, std::size_t from, std::size_t to,
                 std::uint32_t carried);

  std::vector<std::uint32_t> starts_, start_ids_;  // few
  std::vector<Word> words_;                        // many
  std::vector<std::uint32_t> runs_;
  std::vector<Block> blocks_;
  std::vector<std::uint32_t> block_ids_;
};

class V6Map {
 public:
  void build(Segments<Uint128> segments);
  bool empty() const { return segments_.starts.empty(); }
  std::uint32_t find(Uint128 address) const;
  std::size_t bytes() const;

 private:
  Segments<Uint128> segments_;
  std::vector<std::uint32_t> tops_;   // the /32 in which segments begin, ascending
  std::vector<std::uint32_t> first_;  // of each, its first segment; one more at the end
};

}  // namespace streamd
