// SPDX-License-Identifier: Apache-2.0
#include "engine/match/segments.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace streamd {
namespace {

constexpr std::size_t kFew = 512;  // segments
constexpr std::uint32_t kSlots = 1u << 24;
constexpr std::size_t kLine = 8;  // words of 8 bytes
constexpr unsigned kKnownShift = 10;
constexpr std::uint32_t kKnown = 1u << (32 - kKnownShift);
constexpr std::size_t kMostKnown = kKnown / 2;  // beyond, asking first costs more than it saves

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

// Which of the eight bytes are not above `low`: their highest bits.
std::uint64_t not_above(std::uint64_t bytes, std::uint32_t low) {
  constexpr std::uint64_t kHigh = 0x8080808080808080ull, kOnes = 0x0101010101010101ull;
  const std::uint64_t all = low * kOnes;
  const std::uint64_t lower_bits = (all | kHigh) - (bytes & ~kHigh);
  return ((all & ~bytes) | (~(all ^ bytes) & lower_bits)) & kHigh;
}

}  // namespace

void V4Map::build(Segments<std::uint32_t> segments) {
  if (segments.starts.size() > kFew) {
    build_directory(segments);
    return build_known(segments);
  }
  starts_ = std::move(segments.starts);
  start_ids_ = std::move(segments.ids);
}

void V4Map::build_directory(const Segments<std::uint32_t>& segments) {
  words_.resize(kSlots / 64);
  const auto& starts = segments.starts;
  runs_.reserve(starts.size() + 1);
  runs_.push_back(0);                   // so that 0 is no run
  std::uint32_t in_force = 0, run = 0;  // run: what the slot before this one holds
  std::size_t next_word = 0;
  const auto begin_words = [&](std::size_t end) {
    for (; next_word < end; ++next_word) {
      words_[next_word].rank = static_cast<std::uint32_t>(runs_.size() - 1);
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
      begin_run(slot, add_cell(segments, i, end, in_force));
      if (slot + 1 < kSlots) begin_run(slot + 1, last);
    }
    in_force = last;
    i = end;
  }
  begin_words(words_.size());
  runs_.shrink_to_fit();
  cells_.resize((cells_.size() + kLine - 1) / kLine * kLine);
  cells_.shrink_to_fit();
}

void V4Map::build_known(const Segments<std::uint32_t>& segments) {
  known_.resize(kKnown / 64);
  const auto& starts = segments.starts;
  std::size_t known = 0;
  std::uint32_t next = 0;  // the first that is not set
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (segments.ids[i] == 0) continue;
    const std::uint32_t last = (i + 1 < starts.size() ? starts[i + 1] - 1 : ~0u) >> kKnownShift;
    for (next = std::max(next, starts[i] >> kKnownShift); next <= last; ++next, ++known)
      known_[next / 64] |= std::uint64_t{1} << (next % 64);
  }
  if (known > kMostKnown) known_ = {};
}

// What a run that is no single network is: numbers of networks and where in the /24 each begins.
std::uint32_t V4Map::add_cell(const Segments<std::uint32_t>& segments, std::size_t from,
                              std::size_t to, std::uint32_t carried) {
  std::array<std::uint32_t, 257> ids;
  std::array<std::uint8_t, 257> starts;
  std::size_t count = 0;
  const auto add = [&](std::uint32_t low, std::uint32_t id) {
    starts[count] = static_cast<std::uint8_t>(low);
    ids[count++] = id;
  };
  if ((segments.starts[from] & 255) != 0) add(0, carried);
  for (std::size_t i = from; i < to; ++i) add(segments.starts[i] & 255, segments.ids[i]);

  const bool small = count - 1 <= kSmall;
  const std::size_t head = small ? 1 : 5;
  const std::size_t size = head + (count + 1) / 2;
  // A cell that fits into a cache line does not lie on two.
  if (size <= kLine && cells_.size() % kLine + size > kLine)
    cells_.resize((cells_.size() + kLine - 1) / kLine * kLine);
  const std::size_t at = cells_.size();
  cells_.resize(at + size);
  if (small) {
    for (std::size_t i = 1; i < count; ++i)
      cells_[at] |= static_cast<std::uint64_t>(starts[i]) << (8 * (i - 1));
  } else {
    for (std::size_t i = 0; i < count; ++i)
      cells_[at + starts[i] / 64] |= std::uint64_t{1} << (starts[i] % 64);
    std::uint64_t before = 0;  // bits in the words before each
    for (std::size_t w = 1; w < 4; ++w) {
      before += static_cast<std::uint64_t>(std::popcount(cells_[at + w - 1]));
      cells_[at + 4] |= before << (16 * w);
    }
  }
  std::memcpy(&cells_[at + head], ids.data(), count * sizeof(std::uint32_t));
  return kMixed | static_cast<std::uint32_t>(small ? count - 1 : 0) << kCountShift |
         static_cast<std::uint32_t>(at);
}

template <class Count>
[[gnu::always_inline]] inline std::uint32_t V4Map::in_cell(std::uint32_t run, std::uint32_t low,
                                                           Count count_bits) const {
  const std::uint64_t* cell = &cells_[run & kPlace];
  const std::uint32_t starts = (run & ~kMixed) >> kCountShift;
  std::size_t at = 0, head = 1;
  if (starts != 0) {
    const std::uint64_t those = (std::uint64_t{1} << (8 * starts)) - 1;
    at = static_cast<std::size_t>(count_bits(not_above(cell[0], low) & those));
  } else {
    const std::uint64_t below = cell[low / 64] & (~std::uint64_t{0} >> (63 - low % 64));
    at = (cell[4] >> (16 * (low / 64)) & 0xFFFF) + static_cast<std::size_t>(count_bits(below)) - 1;
    head = 5;
  }
  std::uint32_t id = 0;
  std::memcpy(&id, reinterpret_cast<const char*>(cell + head) + at * sizeof id, sizeof id);
  return id;
}

// No branch hangs on what is found: half of the guesses would be wrong.
template <class Count>
[[gnu::always_inline]] inline void V4Map::find_counting(const std::uint32_t* addresses,
                                                        std::size_t count, std::uint32_t* ids,
                                                        Count count_bits) const {
  std::uint32_t index[kLookupBlock];
  std::uint8_t mixed[kLookupBlock];
  const Word* words = words_.data();
  const std::uint32_t* runs = runs_.data();
  const std::uint64_t* cells = cells_.data();
  for (std::size_t i = 0; i < count; ++i) __builtin_prefetch(words + (addresses[i] >> 14));
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t address = addresses[i];
    const Word& word = words[address >> 14];
    const std::uint64_t bits = word.bits & (~std::uint64_t{0} >> (63 - ((address >> 8) & 63)));
    const std::uint32_t run = word.rank + static_cast<std::uint32_t>(count_bits(bits)) - 1;
    ids[i] = word.before;
    index[i] = bits == 0 ? 0 : run + 1;
    __builtin_prefetch(runs + index[i]);
  }
  std::size_t mixes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t run = runs[index[i]];
    const std::uint32_t id = index[i] == 0 ? ids[i] : run;
    ids[i] = id;
    mixed[mixes] = static_cast<std::uint8_t>(i);
    mixes += id >> 31;
    __builtin_prefetch(cells + ((id & kMixed) != 0 ? id & kPlace : 0));
  }
  for (std::size_t m = 0; m < mixes; ++m) {
    const std::size_t i = mixed[m];
    ids[i] = in_cell(ids[i], addresses[i] & 255, count_bits);
  }
}

#if defined(__x86_64__)
[[gnu::target("popcnt")]] void V4Map::find_with_popcnt(const std::uint32_t* addresses,
                                                       std::size_t count,
                                                       std::uint32_t* ids) const {
  find_counting(addresses, count, ids,
                [](std::uint64_t bits) { return __builtin_popcountll(bits); });
}
#else
void V4Map::find_with_popcnt(const std::uint32_t* addresses, std::size_t count,
                             std::uint32_t* ids) const {
  find_counting(addresses, count, ids, [](std::uint64_t bits) { return std::popcount(bits); });
}
#endif

void V4Map::find_few(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids) const {
  for (std::size_t i = 0; i < count; ++i) {
    const auto* at = last_not_above(starts_.data(), starts_.size(), addresses[i]);
    ids[i] = start_ids_[static_cast<std::size_t>(at - starts_.data())];
  }
}

void V4Map::find_many(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids) const {
#if defined(__x86_64__)
  static const bool kHasPopcnt = __builtin_cpu_supports("popcnt") != 0;
  if (!kHasPopcnt)
    return find_counting(addresses, count, ids,
                         [](std::uint64_t bits) { return std::popcount(bits); });
#endif
  find_with_popcnt(addresses, count, ids);
}

void V4Map::find(const std::uint32_t* addresses, std::size_t count, std::uint32_t* ids) const {
  if (words_.empty() && !starts_.empty()) return find_few(addresses, count, ids);
  if (!words_.empty() && known_.empty()) return find_many(addresses, count, ids);
  std::fill_n(ids, count, 0);
  if (words_.empty()) return;
  std::uint32_t some[kLookupBlock], found[kLookupBlock];
  std::uint8_t which[kLookupBlock];
  std::size_t n = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t network = addresses[i] >> kKnownShift;
    some[n] = addresses[i];
    which[n] = static_cast<std::uint8_t>(i);
    n += known_[network / 64] >> (network % 64) & 1;
  }
  if (n == 0) return;
  find_many(some, n, found);
  for (std::size_t i = 0; i < n; ++i) ids[which[i]] = found[i];
}

std::size_t V4Map::bytes() const {
  return (starts_.capacity() + start_ids_.capacity() + runs_.capacity()) * sizeof(std::uint32_t) +
         words_.capacity() * sizeof(Word) +
         (known_.capacity() + cells_.capacity()) * sizeof(std::uint64_t);
}

}  // namespace streamd
