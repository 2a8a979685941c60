// SPDX-License-Identifier: Apache-2.0
// Where in a text something could be found: one pass in blocks of 16 bytes. Private to codec/.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamd {

constexpr std::size_t kScanBlock = 16;

// Of 16 bytes and the one behind them. Bit i of `marks`: byte i is one of . : [ ( { and what
// follows is no blank, quote, bracket or comma. `hex`: all are hex digits; as runs of 31 and more
// hold a whole block of the pass, no hash is missed.
struct ScanBlock {
  std::uint32_t marks = 0;
  bool hex = false;
};

inline ScanBlock scan_block_plain(const char* bytes) {
  const auto is_hex = [](char c) {
    const char low = static_cast<char>(c | 0x20);
    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
  };
  ScanBlock block{0, true};
  for (std::size_t i = 0; i < kScanBlock; ++i) {
    const char c = bytes[i];
    const bool mark = c == '.' || c == ':' || c == '[' || c == '(' || c == '{';
    if (mark && static_cast<unsigned char>(bytes[i + 1]) >= '-') block.marks |= 1u << i;
    block.hex = block.hex && is_hex(c);
  }
  return block;
}

#if defined(__SSE2__)
inline ScanBlock scan_block(const char* bytes) {
  const auto load = [](const char* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  const auto is = [](__m128i all, char c) { return _mm_cmpeq_epi8(all, _mm_set1_epi8(c)); };
  const auto at_most = [](__m128i all, char most) {
    return _mm_cmpeq_epi8(_mm_min_epu8(all, _mm_set1_epi8(most)), all);
  };
  const __m128i here = load(bytes), next = load(bytes + 1);
  const __m128i marks =
      _mm_or_si128(_mm_or_si128(is(here, '.'), is(here, ':')),
                   _mm_or_si128(is(here, '('), _mm_or_si128(is(here, '['), is(here, '{'))));
  const __m128i followed = _mm_cmpeq_epi8(_mm_max_epu8(next, _mm_set1_epi8('-')), next);
  const __m128i digits = at_most(_mm_sub_epi8(here, _mm_set1_epi8('0')), 9);
  const __m128i lower = _mm_or_si128(here, _mm_set1_epi8(0x20));
  const __m128i letters = at_most(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 5);
  return {static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_and_si128(marks, followed))),
          _mm_movemask_epi8(_mm_or_si128(digits, letters)) == 0xFFFF};
}
#else
inline ScanBlock scan_block(const char* bytes) { return scan_block_plain(bytes); }
#endif

// Calls mark(at) and hex(at) in the order of the text; mark returns the first byte at which it
// wants to be called again.
template <class Mark, class Hex>
void scan_text(std::string_view text, Mark&& mark, Hex&& hex) {
  std::size_t next = 0;
  const auto look = [&](const ScanBlock& block, std::size_t at) {
    if (block.hex) hex(at);
    for (std::uint32_t marks = block.marks; marks != 0; marks &= marks - 1) {
      const std::size_t found = at + static_cast<std::size_t>(std::countr_zero(marks));
      if (found >= next) next = mark(found);
    }
  };
  std::size_t at = 0;
  for (; at + kScanBlock < text.size(); at += kScanBlock) look(scan_block(text.data() + at), at);
  // What is left, with zeros behind it.
  char last[kScanBlock + 1] = {};
  if (at < text.size()) std::memcpy(last, text.data() + at, text.size() - at);
  look(scan_block(last), at);
}

}  // namespace streamd
