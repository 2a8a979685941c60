// SPDX-License-Identifier: Apache-2.0
// A hash table that knows where texts stand. The texts stay where they are: the caller compares.
// Eight texts share a cache line with 32 bits of their hashes, so that a text that is not there
// costs one line; 16 bytes a text. Hashes are seeded by the caller.
#pragma once

#include "engine/core/fetch_line.h"
#include "engine/match/large_array.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamd {

class TextTable {
 public:
  // As a candidate: it takes a find() to know.
  static constexpr std::uint32_t kLookOn = ~0u;

  // For so many texts; once, before insert().
  void reserve(std::size_t texts) {
    // So that only one bucket in twenty is full, and what is in none of them need not look on.
    buckets_.resize(texts == 0 ? 0 : texts / (kSlots / 2) + 1);
  }
  bool empty() const { return buckets_.empty(); }

  // Fetches what find() and candidate() look at first. Not of an empty table.
  void prefetch(std::uint64_t hash) const { fetch_line(&buckets_[home(hash)]); }
  // Fetches what find() looks at then.
  void prefetch_behind(std::uint64_t hash) const { fetch_line(&buckets_[after(home(hash))]); }
  // The text that find() would ask about first; 0: it would find none. Without a branch that hangs
  // on the answer. Not of an empty table.
  std::uint32_t candidate(std::uint64_t hash) const {
    const Bucket& bucket = buckets_[home(hash)];
    const std::uint32_t those = equal(bucket, tag_of(hash));
    const std::uint32_t none = bucket.texts[kSlots - 1] != 0 ? kLookOn : 0;
    const std::uint32_t text = bucket.texts[those == 0 ? 0 : std::countr_zero(those)];
    return those == 0 ? none : text;
  }
  // The text for which same(text) is true; 0: none.
  template <class Same>
  std::uint32_t find(std::uint64_t hash, Same same) const {
    if (buckets_.empty()) return 0;
    for (std::size_t at = home(hash);; at = after(at)) {
      const Bucket& bucket = buckets_[at];
      for (std::uint32_t those = equal(bucket, tag_of(hash)); those != 0; those &= those - 1) {
        const std::uint32_t text = bucket.texts[static_cast<std::size_t>(std::countr_zero(those))];
        if (same(text)) return text;
      }
      if (bucket.texts[kSlots - 1] == 0) return 0;
    }
  }
  // 0 < text < kLookOn; not there yet.
  void insert(std::uint64_t hash, std::uint32_t text) {
    std::size_t at = home(hash);
    while (buckets_[at].texts[kSlots - 1] != 0) at = after(at);
    Bucket& bucket = buckets_[at];
    std::size_t slot = 0;
    while (bucket.texts[slot] != 0) ++slot;
    bucket.tags[slot] = tag_of(hash);
    bucket.texts[slot] = text;
  }
  std::size_t bytes() const { return buckets_.capacity() * sizeof(Bucket); }

 private:
  static constexpr std::size_t kSlots = 8;
  // Filled from the front. The tag of an empty slot is 0, which no hash has.
  struct Bucket {
    std::array<std::uint32_t, kSlots> tags{}, texts{};
  };
  static_assert(sizeof(Bucket) == 64);

  std::size_t home(std::uint64_t hash) const {
    return static_cast<std::size_t>((hash >> 32) * buckets_.size() >> 32);
  }
  std::size_t after(std::size_t bucket) const {
    return bucket + 1 == buckets_.size() ? 0 : bucket + 1;
  }
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash) | 1; }
  // Bit n: slot n has the tag.
  static std::uint32_t equal(const Bucket& bucket, std::uint32_t tag) {
#if defined(__SSE2__)
    const auto four = [&](std::size_t from) {
      const auto* at = reinterpret_cast<const __m128i*>(bucket.tags.data() + from);
      const __m128i same =
          _mm_cmpeq_epi32(_mm_load_si128(at), _mm_set1_epi32(static_cast<int>(tag)));
      return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(same)));
    };
    return four(0) | four(4) << 4;
#else
    std::uint32_t those = 0;
    for (std::size_t i = 0; i < kSlots; ++i) those |= (bucket.tags[i] == tag ? 1u : 0u) << i;
    return those;
#endif
  }

  LargeArray<Bucket> buckets_;
};

}  // namespace streamd
