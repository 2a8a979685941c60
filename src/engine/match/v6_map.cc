// SPDX-License-Identifier: Apache-2.0
#include "engine/match/segments.h"

#include <algorithm>
#include <limits>

namespace streamd {

namespace {

// The last of eight ascending keys that is not above; the first is not.
std::uint32_t last_not_above(const std::uint64_t* keys, std::uint64_t key) {
  std::uint32_t at = keys[4] <= key ? 4 : 0;
  at += keys[at + 2] <= key ? 2 : 0;
  return at + (keys[at + 1] <= key ? 1 : 0);
}

}  // namespace

void V6Map::build(Segments<Uint128> segments) {
  const std::size_t count = segments.starts.size();
  LargeArray<std::uint64_t> tops;
  lows_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto top = static_cast<std::uint64_t>(segments.starts[i] >> 64);
    const auto low = static_cast<std::uint64_t>(segments.starts[i]);
    lows_.push_back(low);
    if (tops.empty() || tops.back() != top) {
      tops.push_back(top);
      tops_.push_back({segments.ids[i] | (low == 0 ? 0 : kSeveral), static_cast<std::uint32_t>(i)});
    } else {
      tops_.back().last_id = segments.ids[i] | kSeveral;
    }
  }
  tops_.push_back({0, static_cast<std::uint32_t>(count)});
  ids_.assign(segments.ids.begin(), segments.ids.end());
  const auto fill_up = [](LargeArray<std::uint64_t>& layer) {
    layer.resize((layer.size() + kNode - 1) / kNode * kNode,
                 std::numeric_limits<std::uint64_t>::max());
  };
  fill_up(tops);
  layers_.push_back(std::move(tops));
  while (layers_.back().size() > kNode) {
    LargeArray<std::uint64_t> above;
    for (std::size_t i = 0; i < layers_.back().size(); i += kNode)
      above.push_back(layers_.back()[i]);
    fill_up(above);
    layers_.push_back(std::move(above));
  }
}

// The first segment begins at 0, so that in every node on the way the first key is not above.
void V6Map::find(const Uint128* addresses, std::size_t count, std::uint32_t* ids) const {
  if (layers_.empty()) return void(std::fill_n(ids, count, 0));
  std::uint32_t at[kLookupBlock] = {};  // the node of the layer, then the upper half
  for (std::size_t layer = layers_.size(); layer-- > 0;) {
    const std::uint64_t* keys = layers_[layer].data();
    const std::uint64_t* below = layer > 0 ? layers_[layer - 1].data() : nullptr;
    // Keys that fill a node up are the largest there is, and may be equal to what is asked.
    const auto last = static_cast<std::uint32_t>(
        (layer > 0 ? layers_[layer - 1].size() / kNode : tops_.size() - 1) - 1);
    for (std::size_t i = 0; i < count; ++i) {
      const auto top = static_cast<std::uint64_t>(addresses[i] >> 64);
      const std::size_t node = std::size_t{at[i]} * kNode;
      at[i] = std::min(static_cast<std::uint32_t>(node) + last_not_above(keys + node, top), last);
      if (below != nullptr)
        __builtin_prefetch(below + std::size_t{at[i]} * kNode);
      else
        __builtin_prefetch(&tops_[at[i]]);
    }
  }
  std::uint8_t deeper[kLookupBlock];
  std::size_t deep = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Top& top = tops_[at[i]];
    ids[i] = top.last_id & ~kSeveral;
    const bool same = layers_[0][at[i]] == static_cast<std::uint64_t>(addresses[i] >> 64);
    deeper[deep] = static_cast<std::uint8_t>(i);
    deep += (top.last_id & kSeveral) != 0 && same ? 1 : 0;
  }
  for (std::size_t d = 0; d < deep; ++d) {
    __builtin_prefetch(&lows_[tops_[at[deeper[d]]].first]);
    __builtin_prefetch(&ids_[tops_[at[deeper[d]]].first]);
  }
  for (std::size_t d = 0; d < deep; ++d) {
    const std::size_t i = deeper[d];
    const Top* top = &tops_[at[i]];
    // Where none begins at or before it, the one of the upper half before is in force.
    const auto* after = std::upper_bound(lows_.data() + top[0].first, lows_.data() + top[1].first,
                                         static_cast<std::uint64_t>(addresses[i]));
    ids[i] = ids_[static_cast<std::size_t>(after - lows_.data()) - 1];
  }
}

std::size_t V6Map::bytes() const {
  std::size_t bytes = lows_.capacity() * sizeof(std::uint64_t) + tops_.capacity() * sizeof(Top) +
                      ids_.capacity() * sizeof(std::uint32_t);
  for (const auto& layer : layers_) bytes += layer.capacity() * sizeof(std::uint64_t);
  return bytes;
}

}  // namespace streamd
