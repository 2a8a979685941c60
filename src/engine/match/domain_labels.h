// SPDX-License-Identifier: Apache-2.0
// DomainLabels: a domain in small letters, cut at its dots, and the hashes of its ends: of
// www.evil.example those of example, of evil.example and of itself. On the stack. Private to
// match/.
//
// All ends share their last bytes. So a domain is held in blocks of 16 bytes that are counted from
// its end, and each of them is hashed once, whatever the number of labels. Zeros stand in front of
// its first byte.
#pragma once

#include "engine/core/hash.h"
#include "engine/match/lower_block.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace streamd {

inline std::uint32_t label_count_bit(std::size_t labels) {
  return 1u << (labels < 31 ? labels : 31);
}

// domain_key() for those who call it for each question.
inline std::string_view trimmed_domain(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.starts_with('.')) text.remove_prefix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

class DomainLabels {
 public:
  explicit DomainLabels(std::uint64_t seed) : seed_(seed) {
    hashes_[0] = seed ^ mix64(seed ^ k1, k0);
  }

  // `key`: see domain_key(). False: cannot be a domain.
  bool read(std::string_view key) {
    size_ = key.size();
    if (key.empty() || key.size() > kLongest) return false;
    for (std::size_t word = first_word(); word < dots_.size(); ++word) dots_[word] = 0;
    std::uint32_t bad = 0;
    const auto add = [&](std::size_t block, const LowerBlock& read) {
      const std::size_t bit = kBits - (block + 1) * kBlock;
      dots_[bit / 64] |= static_cast<std::uint64_t>(read.dots) << (bit % 64);
      bad |= read.bad;
      blocks_[block] = {read.low, read.high};
    };
    std::size_t block = 0;
    for (; (block + 1) * kBlock <= size_; ++block) {
      const char* from = key.data() + size_ - (block + 1) * kBlock;
      add(block, lower_block(load(from), load(from + 8)));
      const Block& read = blocks_[block];
      hashes_[block + 1] = mix64(read.low ^ k0 ^ hashes_[block], read.high ^ k2);
    }
    if (const std::size_t rest = size_ % kBlock; rest != 0) {
      const Block front = front_of(key, rest);
      LowerBlock read = lower_block(front.low, front.high);
      read.bad >>= kBlock - rest;
      add(block, read);
    }
    return bad == 0 && !has_empty_label();
  }

  std::size_t count() const {
    std::size_t dots = 0;
    for (std::size_t word = first_word(); word < dots_.size(); ++word)
      dots += static_cast<std::size_t>(std::popcount(dots_[word]));
    return dots + 1;
  }
  std::uint64_t hash() const { return hash_of_last(size_); }

  // end(hash, size) for the ends whose number of labels is in `wanted` (label_count_bit), the
  // shortest first.
  template <class End>
  void ends(std::uint32_t wanted, End end) const {
    std::size_t labels = 0;
    for (std::size_t word = dots_.size(); word-- > first_word();) {
      for (std::uint64_t dots = dots_[word]; dots != 0;) {
        const auto dot = static_cast<std::size_t>(63 - std::countl_zero(dots));
        dots ^= std::uint64_t{1} << dot;
        const std::size_t size = kBits - 1 - word * 64 - dot;
        if ((wanted & label_count_bit(++labels)) != 0) end(hash_of_last(size), size);
      }
    }
    if ((wanted & label_count_bit(++labels)) != 0) end(hash_of_last(size_), size_);
  }

 private:
  static constexpr std::size_t kBlock = LowerBlock::kSize, kLongest = 253, kBits = 256;
  static constexpr std::uint64_t k0 = 0x9E3779B97F4A7C15ull, k1 = 0xD6E8FEB86659FD93ull,
                                 k2 = 0xA0761D6478BD642Full;

  struct Block {
    std::uint64_t low, high;  // the first byte lowest
  };

  std::size_t first_word() const { return (kBits - size_) / 64; }
  // The first byte is the lowest.
  static std::uint64_t load(const char* from) {
    std::uint64_t word = 0;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&word, from, sizeof word);
    } else {
      for (std::size_t i = sizeof word; i-- > 0;)
        word = word << 8 | static_cast<unsigned char>(from[i]);
    }
    return word;
  }
  // The first `rest` bytes, less than a block, with zeros in front. Nothing is read outside of the
  // text.
  static Block front_of(std::string_view key, std::size_t rest) {
    if (rest > 8) return {load(key.data()) << (8 * (kBlock - rest)), load(key.data() + rest - 8)};
    if (key.size() >= 8) return {0, load(key.data()) << (8 * (8 - rest))};
    std::uint64_t high = 0;
    for (std::size_t i = 0; i < rest; ++i)
      high = high >> 8 | static_cast<std::uint64_t>(static_cast<unsigned char>(key[i])) << 56;
    return {0, high};
  }

  bool has_empty_label() const {
    const std::size_t first = kBits - size_;
    std::uint64_t before = first % 64 == 0 ? 1 : 0, twice = 0;
    for (std::size_t word = first_word(); word < dots_.size(); ++word) {
      twice |= dots_[word] & (dots_[word] << 1 | before);
      before = dots_[word] >> 63;
    }
    const bool leading = (dots_[first / 64] >> (first % 64) & 1) != 0;
    return twice != 0 || leading || before != 0;
  }

  // Zeros fill an end up to whole blocks, which no domain has: its size need not be hashed.
  std::uint64_t hash_of_last(std::size_t size) const {
    const std::size_t block = size / kBlock;
    const Block& keep = kLast[size % kBlock];
    return mix64((blocks_[block].low & keep.low) ^ k1 ^ hashes_[block],
                 (blocks_[block].high & keep.high) ^ k0 ^ seed_);
  }
  // [n] keeps the last n of 16 bytes.
  static constexpr std::array<Block, kBlock> kLast = [] {
    std::array<Block, kBlock> masks{};
    for (std::size_t i = 1; i < kBlock; ++i) {
      masks[i].low = i > 8 ? ~std::uint64_t{0} << (8 * (kBlock - i)) : 0;
      masks[i].high = ~std::uint64_t{0} << (i < 8 ? 8 * (8 - i) : 0);
    }
    return masks;
  }();

  std::array<std::uint64_t, kBits / 64> dots_{};        // the last bit: the last byte is one
  std::array<Block, kBits / kBlock> blocks_{};          // from the end
  std::array<std::uint64_t, kBits / kBlock> hashes_{};  // of so many blocks
  std::uint64_t seed_;
  std::size_t size_ = 0;
};

}  // namespace streamd
