// SPDX-License-Identifier: Apache-2.0
// Where in a text something could be found: one pass in blocks of 16 bytes, four at a time. Private
// to codec/.
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

// Of 16 bytes and the one behind them. Bit i of `marks`: byte i is . or : and what follows is no
// blank, quote, bracket or comma, or it is one of [ ( { before . or : or the d of dot. `hex`: all
// are hex digits; as runs of 31 and more hold a whole block of the pass, no hash is missed.
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
    const char c = bytes[i], next = bytes[i + 1];
    const bool sign = (c == '.' || c == ':') && static_cast<unsigned char>(next) >= '-';
    const bool opens = (c == '[' || c == '(' || c == '{') &&
                       (next == '.' || next == ':' || next == 'd' || next == 'D');
    if (sign || opens) block.marks |= 1u << i;
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
  const auto either = [](__m128i a, __m128i b) { return _mm_or_si128(a, b); };
  const auto bits = [](__m128i all) { return static_cast<std::uint32_t>(_mm_movemask_epi8(all)); };
  // [ and { differ in the bit that capitals and small letters differ in.
  const auto small = [](__m128i all) { return _mm_or_si128(all, _mm_set1_epi8(0x20)); };
  const __m128i here = load(bytes), next = load(bytes + 1);
  const __m128i signs = either(is(here, '.'), is(here, ':'));
  const __m128i followed = _mm_cmpeq_epi8(_mm_max_epu8(next, _mm_set1_epi8('-')), next);
  const __m128i brackets = either(is(here, '('), is(small(here), '{'));
  const __m128i inside = either(either(is(next, '.'), is(next, ':')), is(small(next), 'd'));
  ScanBlock block;
  block.marks = bits(either(_mm_and_si128(signs, followed), _mm_and_si128(brackets, inside)));
  // Seldom there are 16 bytes without a blank or a sign among them.
  if (bits(at_most(here, '0' - 1)) != 0) return block;
  const __m128i digits = at_most(_mm_sub_epi8(here, _mm_set1_epi8('0')), 9);
  const __m128i letters = at_most(_mm_sub_epi8(small(here), _mm_set1_epi8('a')), 5);
  block.hex = bits(either(digits, letters)) == 0xFFFF;
  return block;
}
#else
inline ScanBlock scan_block(const char* bytes) { return scan_block_plain(bytes); }
#endif

// The digits and dots that 16 bytes begin with; bit i of `dots`: byte i is one. A size of 16: more
// may be behind them.
struct DottedDigits {
  std::size_t size = 0;
  std::uint32_t dots = 0;

  bool digit_behind_each_dot() const { return (dots & (dots >> 1 | 1u << size >> 1)) == 0; }
};

inline DottedDigits dotted_digits(const char* bytes) {
  std::uint32_t digits = 0, dots = 0;
#if defined(__SSE2__)
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  const __m128i above = _mm_sub_epi8(all, _mm_set1_epi8('0'));
  const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(9)), above);
  digits = static_cast<std::uint32_t>(_mm_movemask_epi8(is_digit));
  dots = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_set1_epi8('.'))));
#else
  for (std::size_t i = 0; i < kScanBlock; ++i) {
    digits |= std::uint32_t{bytes[i] >= '0' && bytes[i] <= '9'} << i;
    dots |= std::uint32_t{bytes[i] == '.'} << i;
  }
#endif
  const auto size = static_cast<std::size_t>(std::countr_one(digits | dots));
  return {size, dots & ((1u << size) - 1)};
}

// Four blocks, or what is left of a text.
struct ScanBlocks {
  std::uint64_t marks = 0;
  unsigned hex = 0;  // bit i: block i

  void set(std::size_t number, const ScanBlock& block) {
    marks |= std::uint64_t{block.marks} << (number * kScanBlock);
    hex |= unsigned{block.hex} << number;
  }
};

// Calls mark(at) and hex(at) in the order of the text; mark returns the first byte at which it
// wants to be called again.
template <class Mark, class Hex>
void scan_text(std::string_view text, Mark&& mark, Hex&& hex) {
  constexpr std::size_t kTogether = 4;
  std::size_t next = 0;
  const auto tell = [&](std::uint64_t marks, std::size_t at) {
    for (; marks != 0; marks &= marks - 1) {
      const std::size_t found = at + static_cast<std::size_t>(std::countr_zero(marks));
      if (found >= next) next = mark(found);
    }
  };
  const auto tell_all = [&](const ScanBlocks& blocks, std::size_t at) {
    if (blocks.hex == 0) return tell(blocks.marks, at);
    for (std::size_t i = 0; i < kTogether; ++i) {
      if ((blocks.hex >> i & 1) != 0) hex(at + i * kScanBlock);
      tell(blocks.marks >> (i * kScanBlock) & 0xFFFF, at + i * kScanBlock);
    }
  };
  std::size_t at = 0;
  for (; at + kTogether * kScanBlock < text.size(); at += kTogether * kScanBlock) {
    ScanBlocks blocks;
    for (std::size_t i = 0; i < kTogether; ++i)
      blocks.set(i, scan_block(text.data() + at + i * kScanBlock));
    tell_all(blocks, at);
  }
  ScanBlocks rest;
  std::size_t block = at, number = 0;
  for (; block + kScanBlock < text.size(); block += kScanBlock)
    rest.set(number++, scan_block(text.data() + block));
  if (text.size() > kScanBlock) {
    // The last byte is followed by nothing and is no mark: those before it, some of them again.
    const std::size_t again = text.size() - kScanBlock - 1;
    ScanBlock last = scan_block(text.data() + again);
    last.marks = block - again < kScanBlock ? last.marks >> (block - again) : 0;
    rest.set(number, last);
  } else {
    // With zeros behind it.
    char last[kScanBlock + 1] = {};
    if (!text.empty()) std::memcpy(last, text.data(), text.size());
    rest.set(number, scan_block(last));
  }
  tell_all(rest, at);
}

}  // namespace streamd
