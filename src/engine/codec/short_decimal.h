// SPDX-License-Identifier: Apache-2.0
// Numbers as logs mostly write them, read in a few instructions. A function here that says no has
// only not looked further: the complete reader of that kind of number decides. What it does read is
// exactly what the complete one would give.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace streamd {

// Eight digits at once: the usual multiply-and-shift on a little endian word.
inline bool eight_digits(std::uint64_t word, std::uint32_t& value) {
  if (((word & 0xF0F0F0F0F0F0F0F0u) |
       (((word + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) >> 4)) != 0x3333333333333333u) {
    return false;
  }
  word -= 0x3030303030303030u;
  word = word * 10 + (word >> 8);
  value =
      static_cast<std::uint32_t>((((word & 0x000000FF000000FFu) * 0x000F424000000064u) +
                                  (((word >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u)) >>
                                 32);
  return true;
}
inline std::uint64_t eight_bytes(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Seconds since 1970 as ten digits, with at most six more behind a point: 1704067199.345590. Every
// such time lies before the year 2287.
inline bool short_unix_time(std::string_view text, std::int64_t& micros) {
  const std::size_t size = text.size();
  const bool whole = size == 10;
  if (!whole && (size < 12 || size > 17 || text[10] != '.')) return false;
  const unsigned first = static_cast<unsigned char>(text[0]) - unsigned{'0'};
  const unsigned second = static_cast<unsigned char>(text[1]) - unsigned{'0'};
  std::uint32_t low = 0, fraction = 0;
  if (first > 9 || second > 9 || !eight_digits(eight_bytes(text.data() + 2), low)) return false;
  if (!whole) {
    // The digits behind the point, then zeros.
    const std::size_t bits = 8 * (size - 11);
    const std::uint64_t digits = eight_bytes(text.data() + size - 8) >> (64 - bits);
    if (!eight_digits(digits | 0x3030303030303030u << bits, fraction)) return false;
  }
  micros = (std::int64_t{first * 10 + second} * 100'000'000 + low) * 1'000'000 + fraction / 100;
  return true;
}

// -12, 200, 007: at most 18 digits.
inline bool short_int(std::string_view text, std::int64_t& value) {
  const bool negative = !text.empty() && text[0] == '-';
  const std::size_t from = negative ? 1 : 0;
  if (text.size() == from || text.size() > from + 18) return false;
  std::int64_t number = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    const unsigned digit = static_cast<unsigned char>(text[i]) - unsigned{'0'};
    if (digit > 9) return false;
    number = number * 10 + digit;
  }
  value = negative ? -number : number;
  return true;
}

// 0.36, -12., 5: at most 15 digits and one point. Both numbers of the division are then exact, so
// its result is the double nearest to the text.
inline bool short_double(std::string_view text, double& value) {
  // static: a local one would be built on the stack in each call.
  static constexpr std::array<double, 16> kPowers = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = !text.empty() && text[0] == '-';
  const std::size_t from = negative ? 1 : 0;
  if (text.size() == from || text.size() > from + 16) return false;
  std::int64_t number = 0;
  std::size_t digits = 0, point = text.size();
  for (std::size_t i = from; i < text.size(); ++i) {
    const unsigned digit = static_cast<unsigned char>(text[i]) - unsigned{'0'};
    if (digit <= 9) {
      number = number * 10 + digit;
      ++digits;
    } else if (text[i] == '.' && point == text.size()) {
      point = i;
    } else {
      return false;
    }
  }
  if (digits == 0 || digits > 15) return false;
  const std::size_t decimals = point == text.size() ? 0 : text.size() - point - 1;
  const double magnitude = static_cast<double>(number) / kPowers[decimals];
  value = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace streamd
