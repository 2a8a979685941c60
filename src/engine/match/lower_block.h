// SPDX-License-Identifier: Apache-2.0
// What reading a domain does with each 16 bytes. Private to match/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamd {

// Of two words that hold 16 bytes, the first byte lowest.
struct LowerBlock {
  static constexpr std::size_t kSize = 16;
  std::uint64_t low = 0, high = 0;  // in small letters
  std::uint32_t dots = 0;           // bit n: byte n is one
  std::uint32_t bad = 0;            // bytes that no domain has: blanks, control characters, / : @
};

inline char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Whether two texts are the same but for the case of ASCII letters.
inline bool equals_lowered(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lowered(a[i]) != lowered(b[i])) return false;
  return true;
}

inline LowerBlock lower_block_plain(std::uint64_t low, std::uint64_t high) {
  LowerBlock block;
  for (std::size_t i = 0; i < LowerBlock::kSize; ++i) {
    const std::size_t shift = i % 8 * 8;
    const char c = static_cast<char>((i < 8 ? low : high) >> shift);
    const bool bad = static_cast<unsigned char>(c) <= ' ' || c == '/' || c == ':' || c == '@';
    (i < 8 ? block.low : block.high) |=
        static_cast<std::uint64_t>(static_cast<unsigned char>(lowered(c))) << shift;
    block.dots |= (c == '.' ? 1u : 0u) << i;
    block.bad |= (bad ? 1u : 0u) << i;
  }
  return block;
}

#if defined(__SSE2__)
inline LowerBlock lower_block(std::uint64_t low, std::uint64_t high) {
  const auto is = [](__m128i all, char c) { return _mm_cmpeq_epi8(all, _mm_set1_epi8(c)); };
  const auto at_most = [](__m128i all, char most) {
    return _mm_cmpeq_epi8(_mm_min_epu8(all, _mm_set1_epi8(most)), all);
  };
  const auto bits = [](__m128i of) { return static_cast<std::uint32_t>(_mm_movemask_epi8(of)); };
  const auto first = [](__m128i of) { return static_cast<std::uint64_t>(_mm_cvtsi128_si64(of)); };
  const __m128i here =
      _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low));
  const __m128i capital = at_most(_mm_sub_epi8(here, _mm_set1_epi8('A')), 25);
  const __m128i small = _mm_or_si128(here, _mm_and_si128(capital, _mm_set1_epi8(0x20)));
  const __m128i bad = _mm_or_si128(_mm_or_si128(at_most(here, ' '), is(here, '/')),
                                   _mm_or_si128(is(here, ':'), is(here, '@')));
  return {first(small), first(_mm_unpackhi_epi64(small, small)), bits(is(here, '.')), bits(bad)};
}
#else
inline LowerBlock lower_block(std::uint64_t low, std::uint64_t high) {
  return lower_block_plain(low, high);
}
#endif

}  // namespace streamd
