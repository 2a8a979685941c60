// SPDX-License-Identifier: Apache-2.0
// ExactSum: a sum of integers and doubles without any rounding, so that what is added and later
// subtracted leaves nothing behind, in whatever order. Rounded once, when it is read.
//
// It lives in kWords words that the caller zeroes, copies and frees: a 128-bit fixed-point number
// in units of 2^-84 and, only when a value or the sum does not fit there, a pointer to a
// superaccumulator that covers every double.
#pragma once

#include "engine/core/hash.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::window {

class ExactSum {
 public:
  static constexpr std::size_t kWords = 3;

  static void add_int(std::uint64_t* words, std::int64_t value);
  static void add_uint(std::uint64_t* words, std::uint64_t value);
  // Finite values only.
  static void add_double(std::uint64_t* words, double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const auto biased = static_cast<unsigned>((bits >> 52) & 0x7FF);
    // All bits of the value lie inside the fixed point, and it is not a subnormal.
    const unsigned shift = biased - kLeastBiased;
    if (shift < kShifts) [[likely]] {
      const Uint128 magnitude = Uint128{(bits & kFraction) | (kFraction + 1)} << shift;
      const Uint128 term = (bits >> 63) != 0 ? -magnitude : magnitude;
      const Uint128 before = (Uint128{words[1]} << 64) | words[0];
      const Uint128 sum = before + term;
      // It overflows when both had the sign that the sum has not.
      if ((((before ^ sum) & (term ^ sum)) >> 127) == 0) [[likely]] {
        words[0] = static_cast<std::uint64_t>(sum);
        words[1] = static_cast<std::uint64_t>(sum >> 64);
        return;
      }
    }
    add_any_double(words, value);
  }
  static void add(std::uint64_t* words, const std::uint64_t* other);
  static void subtract(std::uint64_t* words, const std::uint64_t* other);

  // Rounded to nearest, ties to even; infinite when it is beyond the range of a double.
  static double to_double(const std::uint64_t* words);
  // nullopt: beyond int64. Only for sums of integers.
  static std::optional<std::int64_t> to_int(const std::uint64_t* words);

  // On disk: byte 0, 16 bytes little endian; or byte 1, the same 16 bytes, 68 digits of 8 bytes.
  static void encode(const std::uint64_t* words, std::string& out);
  // `words` must be zero. False: the bytes are no sum; then nothing is owned.
  static bool decode(std::string_view& in, std::uint64_t* words);
  static void free(std::uint64_t* words);

  static constexpr int kScale = 84;
  static constexpr int kSmallBits = 42;  // of a value, before the point

 private:
  static void add_any_double(std::uint64_t* words, double value);

  static constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;
  // Exponents as they stand in a double: from 1 << -kScale as lowest bit to kSmallBits.
  static constexpr unsigned kLeastBiased = 1075 - kScale;
  static constexpr unsigned kShifts = 1023 + kSmallBits - kLeastBiased;
};

}  // namespace streamd::window
