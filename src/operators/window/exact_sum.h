// SPDX-License-Identifier: Apache-2.0
// ExactSum: a sum of integers and doubles without any rounding, so that what is added and later
// subtracted leaves nothing behind, in whatever order. Rounded once, when it is read.
//
// It lives in kWords words that the caller zeroes, copies and frees: a 128-bit fixed-point number
// in units of 2^-84 and, only when a value or the sum does not fit there, a pointer to a
// superaccumulator that covers every double.
#pragma once

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
  static void add_double(std::uint64_t* words, double value);
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
};

}  // namespace streamd::window
