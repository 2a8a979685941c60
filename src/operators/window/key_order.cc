// SPDX-License-Identifier: Apache-2.0
#include "operators/window/key_order.h"

#include "engine/core/fetch_line.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace streamd::window {
namespace {

// The first bytes of a key, as if it ended with zeros.
using Front = std::array<unsigned char, 32>;
constexpr std::size_t kAhead = 16;

// Bytes of a key, most of which decide alone between two keys: going to the keys themselves would
// wait for memory each time. In two halves, as eight bytes would have to be aligned.
struct Item {
  std::uint32_t high;
  std::uint32_t low;
  std::uint32_t id;

  std::uint64_t weight() const { return std::uint64_t{high} << 32 | low; }
};

static_assert(sizeof(Front) == Entry::kShort);
Front front_of(const Entry& entry) {
  Front front;
  std::memcpy(front.data(), entry.data(), front.size());
  return front;
}

template <class Visit>
void each_front(std::span<const std::uint32_t> ids, const KeyTable& keys, Visit&& visit) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i + kAhead < ids.size()) fetch_line(&keys.entry(ids[i + kAhead]));
    visit(ids[i], front_of(keys.entry(ids[i])));
  }
}

// Where a byte may differ from key to key: the first eight such places. As all keys agree before
// and between them, who is less there is less.
std::vector<std::size_t> places(std::span<const std::uint32_t> ids, const KeyTable& keys) {
  const Front first = front_of(keys.entry(ids.front()));
  Front differ{};
  each_front(ids, keys, [&](std::uint32_t, const Front& front) {
    for (std::size_t at = 0; at < front.size(); ++at)
      differ[at] = static_cast<unsigned char>(differ[at] | (front[at] ^ first[at]));
  });
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at < differ.size() && found.size() < 8; ++at)
    if (differ[at] != 0) found.push_back(at);
  return found;
}

}  // namespace

void sort_by_key(std::span<std::uint32_t> ids, const KeyTable& keys) {
  if (ids.size() < 2) return;
  const std::vector<std::size_t> where = places(ids, keys);
  std::vector<Item> items;
  items.reserve(ids.size());
  each_front(ids, keys, [&](std::uint32_t id, const Front& front) {
    std::uint64_t weight = 0;
    for (const std::size_t at : where) weight = weight << 8 | front[at];
    items.push_back(
        {static_cast<std::uint32_t>(weight >> 32), static_cast<std::uint32_t>(weight), id});
  });
  std::sort(items.begin(), items.end(), [&keys](const Item& x, const Item& y) {
    if (x.weight() != y.weight()) return x.weight() < y.weight();
    return keys.entry(x.id).bytes() < keys.entry(y.id).bytes();
  });
  for (std::size_t i = 0; i < items.size(); ++i) ids[i] = items[i].id;
}

}  // namespace streamd::window
