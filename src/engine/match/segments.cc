// SPDX-License-Identifier: Apache-2.0
#include "engine/match/segments.h"

#include <algorithm>
#include <bit>

namespace streamd {
namespace {

constexpr std::size_t kFew = 512;  // segments
constexpr std::uint32_t kSlots = 1u << 24;

// The last of [first, first + count) that is not above `key`; `first` itself if all are.
template <class Key>
const Key* last_not_above(const Key* first, std::size_t count, const Key& key) {
  while (count > 1) {
    const std::size_t half = count / 2;
    first += first[half] <= key ? half : 0;
    count -= half;
  }
  return first;
}

}  // namespace

void V4Map::build(Segments<std::uint32_t> segments) {
  if (segments.starts.size() > kFew) return build_directory(segments);
  starts_ = std::move(segments.starts);
  start_ids_ = std::move(segments.ids);
}

void V4Map::build_directory(const Segments<std::uint32_t>& segments) {
  words_.resize(kSlots / 64);
  const auto& starts = segments.starts;
  std::uint32_t in_force = 0, run = 0;  // run: what the slot before this one holds
  std::size_t next_word = 0;
  const auto begin_words = [&](std::size_t end) {
    for (; next_word < end; ++next_word) {
      words_[next_word].rank = static_cast<std::uint32_t>(runs_.size());
      words_[next_word].before = run;
    }
  };
  const auto begin_run = [&](std::uint32_t slot, std::uint32_t value) {
    if (value == run) return;
    begin_words(slot / 64 + 1);
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    if ((words_[slot / 64].bits & bit) == 0)
      runs_.push_back(value);
    else
      runs_.back() = value;
    words_[slot / 64].bits |= bit;
    run = value;
  };
  for (std::size_t i = 0; i < starts.size();) {
    const std::uint32_t slot = starts[i] >> 8;
    std::size_t end = i;
    while (end < starts.size() && starts[end] >> 8 == slot) ++end;
    const std::uint32_t last = segments.ids[end - 1];
    if (end == i + 1 && (starts[i] & 255) == 0) {
      begin_run(slot, last);
    } else {
      begin_run(slot, kMixed | static_cast<std::uint32_t>(blocks_.size()));
      add_block(segments, i, end, in_force);
      if (slot + 1 < kSlots) begin_run(slot + 1, last);
    }
    in_force = last;
    i = end;
  }
  begin_words(words_.size());
}

void V4Map::add_block(const Segments<std::uint32_t>& segments, std::size_t from, std::size_t to,
                      std::uint32_t carried) {
  Block block;
  block.base = static_cast<std::uint32_t>(block_ids_.size());
  if ((segments.starts[from] & 255) != 0) {
    block.bits[0] = 1;
    block_ids_.push_back(carried);
  }
  for (std::size_t i = from; i < to; ++i) {
    const std::uint32_t low = segments.starts[i] & 255;
    block.bits[low / 64] |= std::uint64_t{1} << (low % 64);
    block_ids_.push_back(segments.ids[i]);
  }
  for (std::size_t w = 1; w < 4; ++w)
    block.before[w] =
        static_cast<std::uint8_t>(block.before[w - 1] + std::popcount(block.bits[w - 1]));
  blocks_.push_back(block);
}

std::uint32_t V4Map::find(std::uint32_t address) const {
  if (words_.empty()) {
    if (starts_.empty()) return 0;
    const auto* at = last_not_above(starts_.data(), starts_.size(), address);
    return start_ids_[static_cast<std::size_t>(at - starts_.data())];
  }
  const Word& word = words_[address >> 14];
  const std::uint64_t bits = word.bits & (~std::uint64_t{0} >> (63 - ((address >> 8) & 63)));
  const std::uint32_t run =
      bits == 0 ? word.before
                : runs_[word.rank + static_cast<std::uint32_t>(std::popcount(bits)) - 1];
  if ((run & kMixed) == 0) return run;
  const Block& block = blocks_[run & ~kMixed];
  const std::uint32_t low = address & 255;
  const std::uint64_t below = block.bits[low / 64] & (~std::uint64_t{0} >> (63 - low % 64));
  return block_ids_[block.base + block.before[low / 64] +
                    static_cast<std::uint32_t>(std::popcount(below)) - 1];
}

std::size_t V4Map::bytes() const {
  return (starts_.capacity() + start_ids_.capacity() + runs_.capacity() + block_ids_.capacity()) *
             sizeof(std::uint32_t) +
         words_.capacity() * sizeof(Word) + blocks_.capacity() * sizeof(Block);
}

void V6Map::build(Segments<Uint128> segments) {
  segments_ = std::move(segments);
  for (std::size_t i = 0; i < segments_.starts.size(); ++i) {
    const auto top = static_cast<std::uint32_t>(segments_.starts[i] >> 96);
    if (!tops_.empty() && tops_.back() == top) continue;
    tops_.push_back(top);
    first_.push_back(static_cast<std::uint32_t>(i));
  }
  first_.push_back(static_cast<std::uint32_t>(segments_.starts.size()));
}

std::uint32_t V6Map::find(Uint128 address) const {
  if (tops_.empty()) return 0;
  const auto top = static_cast<std::uint32_t>(address >> 96);
  const auto* at = last_not_above(tops_.data(), tops_.size(), top);
  const auto t = static_cast<std::size_t>(at - tops_.data());
  if (*at != top) return segments_.ids[first_[t + 1] - 1];
  // One more in front: what is in force where the /32 begins.
  const std::size_t from = first_[t] > 0 ? first_[t] - 1 : 0;
  const auto* found = last_not_above(segments_.starts.data() + from, first_[t + 1] - from, address);
  return segments_.ids[static_cast<std::size_t>(found - segments_.starts.data())];
}

std::size_t V6Map::bytes() const {
  return segments_.starts.capacity() * sizeof(Uint128) +
         (segments_.ids.capacity() + tops_.capacity() + first_.capacity()) * sizeof(std::uint32_t);
}

}  // namespace streamd
