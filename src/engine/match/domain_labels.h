// SPDX-License-Identifier: Apache-2.0
// DomainLabels: a domain in small letters, cut at its dots. On the stack. Private to match/.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace streamd {

inline char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Whether `text` is `lower` but for the case of ASCII letters.
inline bool equals_lowered(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  if (std::memcmp(text.data(), lower.data(), text.size()) == 0) return true;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lowered(text[i]) != lower[i]) return false;
  return true;
}

inline std::uint32_t label_count_bit(std::size_t labels) {
  return 1u << (labels < 31 ? labels : 31);
}

class DomainLabels {
 public:
  // `key`: see domain_key(). False: cannot be a domain.
  bool read(std::string_view key) {
    size_ = key.size();
    count_ = 0;
    if (key.empty() || key.size() > kLongest) return false;
    unsigned bad = 0;
    std::size_t at = 0;
    for (; at + 8 <= size_; at += 8) bad |= lower_eight(key.data() + at, at);
    if (at < size_) {
      char rest[8] = {'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'};
      for (std::size_t i = 0; at + i < size_; ++i) rest[i] = key[at + i];
      bad |= lower_eight(rest, at);
    }
    return bad == 0 && cut();
  }
  std::size_t count() const { return count_; }
  // The last `labels` of them.
  std::string_view last(std::size_t labels) const {
    const std::size_t from = starts_[count_ - labels];
    return {text_.data() + from, size_ - from};
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101ull, kHigh = 0x8080808080808080ull;

  // The highest bit of each byte that is below `limit`, both below 128.
  static std::uint64_t below(std::uint64_t low_bits, std::uint64_t limit) {
    return ~((low_bits | kHigh) - limit * kOnes) & kHigh;
  }
  static std::uint64_t equal(std::uint64_t low_bits, std::uint64_t value) {
    return below(low_bits ^ value * kOnes, 1);
  }
  // Writes eight bytes in small letters and notes the dots; not 0: no domain has one of them (white
  // space, control characters, / : @).
  unsigned lower_eight(const char* from, std::size_t at) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, from, sizeof bytes);
    const std::uint64_t ascii = ~bytes & kHigh, low = bytes & ~kHigh;
    const std::uint64_t capital = below(low, 'Z' + 1) & ~below(low, 'A') & ascii;
    const std::uint64_t small = bytes | capital >> 2;
    std::memcpy(text_.data() + at, &small, sizeof small);
    const std::uint64_t bad =
        (below(low, ' ' + 1) | equal(low, '/') | equal(low, ':') | equal(low, '@')) & ascii;
    dots_[at / 8] = equal(low, '.') & ascii;
    return bad != 0 ? 1 : 0;
  }
  bool cut() {
    starts_[count_++] = 0;
    for (std::size_t word = 0; word * 8 < size_; ++word) {
      for (std::uint64_t dots = dots_[word]; dots != 0; dots &= dots - 1) {
        const std::size_t dot = word * 8 + static_cast<std::size_t>(std::countr_zero(dots)) / 8;
        if (dot + 1 == size_ || starts_[count_ - 1] == dot) return false;
        starts_[count_++] = static_cast<std::uint8_t>(dot + 1);
      }
    }
    return true;
  }

  static constexpr std::size_t kLongest = 253;
  std::array<char, kLongest + 3> text_;
  std::array<std::uint64_t, 32> dots_;
  std::array<std::uint8_t, kLongest / 2 + 2> starts_;
  std::size_t size_ = 0, count_ = 0;
};

}  // namespace streamd
