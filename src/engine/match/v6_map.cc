// SPDX-License-Identifier: Apache-2.0
#include "engine/match/segments.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace streamd {

namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kLine = 8;  // words of 8 bytes

// Of the upper half.
std::int64_t key_of(Uint128 address) {
  constexpr std::uint64_t kHighest = std::uint64_t{1} << 63;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(address >> 64) ^ kHighest);
}

}  // namespace

// How many of the keys of a node are not above, but for the first, which never is.
struct V6Map::Plain {
  static std::uint32_t in_node(const std::int64_t* keys, std::int64_t key) {
    std::uint32_t at = keys[4] <= key ? 4 : 0;
    at += keys[at + 2] <= key ? 2 : 0;
    return at + (keys[at + 1] <= key ? 1 : 0);
  }
  static std::uint32_t in_leaf(const Leaf& leaf, std::int64_t key) {
    std::uint32_t at = 0;
    for (std::size_t k = 1; k < kKeys; ++k) at += leaf.keys[k] <= key ? 1 : 0;
    return at;
  }
};

#if defined(__x86_64__)
struct V6Map::Avx2 {
  [[gnu::target("avx2,popcnt")]] static __m256i above(const std::int64_t* keys, __m256i key) {
    return _mm256_cmpgt_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys)), key);
  }
  [[gnu::target("avx2,popcnt")]] static std::uint32_t in_node(const std::int64_t* keys,
                                                              std::int64_t key) {
    const __m256i wanted = _mm256_set1_epi64x(key);
    const __m256i both = _mm256_packs_epi32(above(keys, wanted), above(keys + 4, wanted));
    const int mask = _mm256_movemask_ps(_mm256_castsi256_ps(both));
    return 7 - static_cast<std::uint32_t>(__builtin_popcount(static_cast<unsigned>(mask)));
  }
  [[gnu::target("avx2,popcnt")]] static std::uint32_t in_leaf(const Leaf& leaf, std::int64_t key) {
    const __m256i those = above(leaf.keys.data() + 1, _mm256_set1_epi64x(key));
    const int mask = _mm256_movemask_pd(_mm256_castsi256_pd(those));
    return 4 - static_cast<std::uint32_t>(__builtin_popcount(static_cast<unsigned>(mask)));
  }
};
#endif

class V6Map::LeafWriter {
 public:
  explicit LeafWriter(LargeArray<Leaf>& leaves) : leaves_(leaves) {}

  std::uint32_t in_force() const { return in_force_; }
  void network(std::int64_t key, std::uint32_t id) {
    place(key) = id;
    in_force_ = id;
    last_is_cell_ = false;
  }
  void cell(std::int64_t key, std::uint32_t cell) {
    place(key) = cell;
    leaves_.back().ids[0] |= 1u << (kIdBits + (used_ - 1));
    last_is_cell_ = true;
  }
  // What is asked with the largest key finds the last that is filled in.
  void finish() {
    const Leaf& last = leaves_.back();
    const bool as_cell = last_is_cell_ && last.keys[used_ - 1] == kLargest;
    const std::uint32_t id = last.ids[used_];
    while (used_ < kKeys) as_cell ? cell(kLargest, id) : network(kLargest, in_force_);
  }

 private:
  std::uint32_t& place(std::int64_t key) {
    if (used_ == kKeys) {
      leaves_.push_back({});
      leaves_.back().ids[0] = in_force_;
      used_ = 0;
    }
    leaves_.back().keys[used_++] = key;
    return leaves_.back().ids[used_];
  }

  LargeArray<Leaf>& leaves_;
  std::size_t used_ = kKeys;
  std::uint32_t in_force_ = 0;  // behind the last upper half
  bool last_is_cell_ = false;
};

void V6Map::build(const Segments<Uint128>& segments) {
  const auto& starts = segments.starts;
  leaves_.reserve(starts.size() / kKeys + 1);
  LeafWriter writer(leaves_);
  for (std::size_t i = 0; i < starts.size();) {
    const std::int64_t top = key_of(starts[i]);
    std::size_t end = i + 1;
    while (end < starts.size() && key_of(starts[end]) == top) ++end;
    const std::uint32_t last = segments.ids[end - 1];
    if (end == i + 1 && static_cast<std::uint64_t>(starts[i]) == 0) {
      writer.network(top, last);
    } else {
      // What is in force where it begins, unless the leaf says the same.
      const bool carries =
          static_cast<std::uint64_t>(starts[i]) != 0 && segments.ids[i - 1] != writer.in_force();
      writer.cell(top, add_cell(segments, i - (carries ? 1 : 0), end, carries));
      const bool next_follows = end < starts.size() && key_of(starts[end]) == top + 1;
      if (last != writer.in_force() && top != kLargest && !next_follows)
        writer.network(top + 1, last);
    }
    i = end;
  }
  writer.finish();
  leaves_.shrink_to_fit();
  cells_.shrink_to_fit();

  const auto add_layer = [&](LargeArray<std::int64_t> layer) {
    layer.resize((layer.size() + kNode - 1) / kNode * kNode, kLargest);
    layers_.push_back(std::move(layer));
  };
  LargeArray<std::int64_t> firsts;
  firsts.reserve(leaves_.size() + kNode);
  for (const Leaf& leaf : leaves_) firsts.push_back(leaf.keys[0]);
  add_layer(std::move(firsts));
  while (layers_.back().size() > kNode) {
    LargeArray<std::int64_t> above;
    for (std::size_t i = 0; i < layers_.back().size(); i += kNode)
      above.push_back(layers_.back()[i]);
    add_layer(std::move(above));
  }
}

// If it carries on, its first segment begins somewhere before.
std::uint32_t V6Map::add_cell(const Segments<Uint128>& segments, std::size_t from, std::size_t to,
                              bool carries) {
  const std::size_t count = to - from;
  const bool many = count > (~kPlace >> kCountShift);
  const std::size_t size = (many ? 1 : 0) + count + (count + 1) / 2;
  // A cell that fits into a cache line does not lie on two.
  if (size <= kLine && cells_.size() % kLine + size > kLine)
    cells_.resize((cells_.size() + kLine - 1) / kLine * kLine);
  const std::size_t at = cells_.size();
  if (many) cells_.push_back(count);
  for (std::size_t i = from; i < to; ++i)
    cells_.push_back(carries && i == from ? 0 : static_cast<std::uint64_t>(segments.starts[i]));
  cells_.resize(at + size);
  std::memcpy(&cells_[at + size - (count + 1) / 2], &segments.ids[from],
              count * sizeof(std::uint32_t));
  return static_cast<std::uint32_t>(many ? 0 : count) << kCountShift |
         static_cast<std::uint32_t>(at);
}

std::uint32_t V6Map::in_cell(std::uint32_t cell, std::uint64_t low, std::uint32_t before) const {
  const std::uint64_t* lows = &cells_[cell & kPlace];
  std::size_t count = cell >> kCountShift, at = 0;
  if (count == 0) {
    count = static_cast<std::size_t>(*lows++);
    at = static_cast<std::size_t>(std::upper_bound(lows, lows + count, low) - lows);
  } else {
    for (std::size_t i = 0; i < count; ++i) at += lows[i] <= low ? 1 : 0;
  }
  if (at == 0) return before;
  std::uint32_t id = 0;
  std::memcpy(&id, reinterpret_cast<const char*>(lows + count) + (at - 1) * sizeof id, sizeof id);
  return id;
}

// The first segment begins at 0, so that in every node on the way the first key is not above.
template <class Look>
void V6Map::find_by(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const {
  std::uint32_t at[kLookupBlock] = {};  // the node of the layer, then the leaf
  std::int64_t tops[kLookupBlock];
  for (std::size_t i = 0; i < count; ++i) tops[i] = key_of(addresses[i]);
  for (std::size_t layer = layers_.size(); layer-- > 0;) {
    const std::int64_t* keys = layers_[layer].data();
    const auto* below = reinterpret_cast<const char*>(
        layer > 0 ? static_cast<const void*>(layers_[layer - 1].data()) : leaves_.data());
    // Keys that fill a node up are the largest there is, and may be equal to what is asked.
    const auto last = static_cast<std::uint32_t>(
        (layer > 0 ? layers_[layer - 1].size() / kNode : leaves_.size()) - 1);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t first = std::size_t{at[i]} * kNode;
      const std::uint32_t in_node = Look::in_node(keys + first, tops[i]);
      at[i] = std::min(static_cast<std::uint32_t>(first) + in_node, last);
      __builtin_prefetch(below + std::size_t{at[i]} * sizeof(Leaf));
    }
  }
  std::uint8_t deeper[kLookupBlock];
  std::size_t deep = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Leaf& leaf = leaves_[at[i]];
    const std::uint32_t key = Look::in_leaf(leaf, tops[i]);
    const std::uint32_t cells = leaf.ids[0] >> kIdBits;
    // The last of them that is no cell, or what was in force before them.
    const std::uint32_t numbers = (~cells & ((2u << key) - 1)) << 1 | 1;
    ids[i] = leaf.ids[static_cast<std::size_t>(31 - __builtin_clz(numbers))] & kIdMask;
    at[i] = leaf.ids[key + 1];
    deeper[deep] = static_cast<std::uint8_t>(i);
    deep += (cells >> key & 1) & (leaf.keys[key] == tops[i] ? 1u : 0u);
  }
  for (std::size_t d = 0; d < deep; ++d) __builtin_prefetch(&cells_[at[deeper[d]] & kPlace]);
  for (std::size_t d = 0; d < deep; ++d) {
    const std::size_t i = deeper[d];
    ids[i] = in_cell(at[i], static_cast<std::uint64_t>(addresses[i]), ids[i]);
  }
}

#if defined(__x86_64__)
[[gnu::target("avx2,popcnt"), gnu::flatten]] void V6Map::find_wide(const Uint128* addresses,
                                                                   std::size_t count,
                                                                   std::uint32_t* ids) const {
  find_by<Avx2>(addresses, count, ids);
}
#endif

void V6Map::find_plain(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const {
  if (leaves_.empty()) return void(std::fill_n(ids, count, 0));
  find_by<Plain>(addresses, count, ids);
}

void V6Map::find(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const {
#if defined(__x86_64__)
  static const bool kHasAvx2 =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("popcnt") != 0;
  if (kHasAvx2 && !leaves_.empty()) return find_wide(addresses, count, ids);
#endif
  find_plain(addresses, count, ids);
}

std::size_t V6Map::bytes() const {
  std::size_t words = cells_.capacity();
  for (const auto& layer : layers_) words += layer.capacity();
  return words * sizeof(std::uint64_t) + leaves_.capacity() * sizeof(Leaf);
}

}  // namespace streamd
