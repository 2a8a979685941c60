// SPDX-License-Identifier: Apache-2.0
#include "operators/window/exact_sum.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace streamd::window {
namespace {

__extension__ using Int128 = __int128;

constexpr int kScale = ExactSum::kScale;
constexpr int kSmallBits = ExactSum::kSmallBits;

// Digits of 32 bits with signed slack: digit i weighs 2^(32 * i - 1088).
struct Wide {
  static constexpr int kDigits = 68;
  static constexpr int kUnit = 34;  // the digit that weighs 1
  std::array<std::int64_t, kDigits> digits{};
  std::uint64_t additions = 0;

  void add_magnitude(Uint128 magnitude, bool negative, int exponent) {
    const int bit = exponent + 32 * kUnit;
    int at = bit / 32;
    const int shift = bit % 32;
    const std::int64_t sign = negative ? -1 : 1;
    std::uint64_t carry = 0;
    while ((magnitude != 0 || carry != 0) && at < kDigits) {
      const std::uint64_t part = (static_cast<std::uint64_t>(magnitude) & 0xFFFFFFFFu) << shift;
      const std::uint64_t sum = part + carry;
      digits[static_cast<std::size_t>(at)] += sign * static_cast<std::int64_t>(sum & 0xFFFFFFFFu);
      carry = sum >> 32;
      magnitude >>= 32;
      ++at;
    }
    if (++additions > (1u << 28)) normalise();
  }
  void add(const Wide& other, int sign) {
    Wide term = other;
    term.normalise();
    for (std::size_t i = 0; i < kDigits; ++i) digits[i] += sign * term.digits[i];
    if (++additions > (1u << 28)) normalise();
  }
  // All digits in [0, 2^32) except the top one, which carries the sign.
  void normalise() {
    for (std::size_t i = 0; i + 1 < kDigits; ++i) {
      const std::int64_t carry = digits[i] >> 32;
      digits[i] -= carry * (std::int64_t{1} << 32);
      digits[i + 1] += carry;
    }
    additions = 0;
  }
};

Int128 load(const std::uint64_t* words) {
  return static_cast<Int128>((static_cast<Uint128>(words[1]) << 64) | words[0]);
}
void store(std::uint64_t* words, Int128 value) {
  words[0] = static_cast<std::uint64_t>(static_cast<Uint128>(value));
  words[1] = static_cast<std::uint64_t>(static_cast<Uint128>(value) >> 64);
}
Wide* wide_of(const std::uint64_t* words) { return reinterpret_cast<Wide*>(words[2]); }
Wide& need_wide(std::uint64_t* words) {
  if (words[2] == 0) words[2] = reinterpret_cast<std::uint64_t>(new Wide);
  return *wide_of(words);
}
void add_fixed(Wide& wide, Int128 value) {
  const bool negative = value < 0;
  wide.add_magnitude(negative ? -static_cast<Uint128>(value) : static_cast<Uint128>(value),
                     negative, -kScale);
}

void add_small(std::uint64_t* words, Int128 term) {
  const Int128 before = load(words);
  Int128 sum = 0;
  if (!__builtin_add_overflow(before, term, &sum)) {
    store(words, sum);
    return;
  }
  Wide& wide = need_wide(words);
  add_fixed(wide, before);
  store(words, term);
}

void add_scaled(std::uint64_t* words, std::uint64_t magnitude, bool negative, int exponent) {
  if (magnitude == 0) return;
  const int zeros = std::countr_zero(magnitude);
  magnitude >>= zeros;
  exponent += zeros;
  if (exponent + kScale >= 0 &&
      static_cast<int>(std::bit_width(magnitude)) + exponent <= kSmallBits) {
    const Int128 term = static_cast<Int128>(static_cast<Uint128>(magnitude) << (exponent + kScale));
    add_small(words, negative ? -term : term);
  } else {
    need_wide(words).add_magnitude(magnitude, negative, exponent);
  }
}

// Everything in one place, normalised, with the sign apart.
Wide collect(const std::uint64_t* words, bool& negative) {
  Wide all;
  if (const Wide* wide = wide_of(words)) all = *wide;
  add_fixed(all, load(words));
  all.normalise();
  negative = all.digits.back() < 0;
  if (negative) {
    for (auto& digit : all.digits) digit = -digit;
    all.normalise();
  }
  return all;
}

}  // namespace

void ExactSum::add_int(std::uint64_t* words, std::int64_t value) {
  const bool negative = value < 0;
  const auto bits = static_cast<std::uint64_t>(value);
  add_scaled(words, negative ? 0 - bits : bits, negative, 0);
}

void ExactSum::add_uint(std::uint64_t* words, std::uint64_t value) {
  add_scaled(words, value, false, 0);
}

void ExactSum::add_any_double(std::uint64_t* words, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto biased = static_cast<int>((bits >> 52) & 0x7FF);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  const bool negative = (bits >> 63) != 0;
  if (biased == 0)
    add_scaled(words, fraction, negative, -1074);
  else
    add_scaled(words, fraction | (std::uint64_t{1} << 52), negative, biased - 1075);
}

void ExactSum::add(std::uint64_t* words, const std::uint64_t* other) {
  add_small(words, load(other));
  if (const Wide* wide = wide_of(other)) need_wide(words).add(*wide, 1);
}

void ExactSum::subtract(std::uint64_t* words, const std::uint64_t* other) {
  const Int128 term = load(other);
  Int128 difference = 0;
  if (!__builtin_sub_overflow(load(words), term, &difference)) {
    store(words, difference);
  } else {
    Wide& wide = need_wide(words);
    add_fixed(wide, load(words));
    store(words, 0);
    const bool negative = term < 0;
    wide.add_magnitude(negative ? -static_cast<Uint128>(term) : static_cast<Uint128>(term),
                       !negative, -kScale);
  }
  if (const Wide* wide = wide_of(other)) need_wide(words).add(*wide, -1);
}

double ExactSum::to_double(const std::uint64_t* words) {
  if (words[2] == 0) return std::ldexp(static_cast<double>(load(words)), -kScale);
  bool negative = false;
  const Wide all = collect(words, negative);
  int top = Wide::kDigits - 1;
  while (top >= 0 && all.digits[static_cast<std::size_t>(top)] == 0) --top;
  if (top < 0) return 0.0;
  Uint128 head = 0;
  int at = top;
  int taken = 0;
  for (; at >= 0 && taken < (top == Wide::kDigits - 1 ? 3 : 4); --at, ++taken)
    head = (head << 32) + static_cast<Uint128>(all.digits[static_cast<std::size_t>(at)]);
  const int exponent = 32 * (at + 1 - Wide::kUnit);
  for (; at >= 0; --at)
    if (all.digits[static_cast<std::size_t>(at)] != 0) head |= 1;  // sticky: breaks ties
  const double rounded = std::ldexp(static_cast<double>(head), exponent);
  return negative ? -rounded : rounded;
}

std::optional<std::int64_t> ExactSum::to_int(const std::uint64_t* words) {
  Int128 value = 0;
  if (words[2] == 0) {
    value = load(words) >> kScale;
  } else {
    bool negative = false;
    const Wide all = collect(words, negative);
    for (std::size_t i = Wide::kUnit + 3; i < Wide::kDigits; ++i)
      if (all.digits[i] != 0) return std::nullopt;
    for (std::size_t i = Wide::kUnit + 3; i-- > Wide::kUnit;) value = (value << 32) + all.digits[i];
    if (negative) value = -value;
  }
  if (value > INT64_MAX || value < INT64_MIN) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

void ExactSum::encode(const std::uint64_t* words, std::string& out) {
  const Wide* wide = wide_of(words);
  out.push_back(wide != nullptr ? 1 : 0);
  out.append(reinterpret_cast<const char*>(words), 16);
  if (wide == nullptr) return;
  Wide copy = *wide;
  copy.normalise();
  out.append(reinterpret_cast<const char*>(copy.digits.data()), sizeof copy.digits);
}

bool ExactSum::decode(std::string_view& in, std::uint64_t* words) {
  if (in.size() < 17 || static_cast<unsigned char>(in[0]) > 1) return false;
  const bool has_wide = in[0] == 1;
  if (has_wide && in.size() < 17 + sizeof(Wide::digits)) return false;
  std::memcpy(words, in.data() + 1, 16);
  in.remove_prefix(17);
  if (!has_wide) return true;
  Wide read;
  std::memcpy(read.digits.data(), in.data(), sizeof read.digits);
  in.remove_prefix(sizeof read.digits);
  for (std::size_t i = 0; i < Wide::kDigits; ++i) {
    const std::int64_t limit = std::int64_t{1} << (i + 1 < Wide::kDigits ? 32 : 40);
    const std::int64_t least = i + 1 < Wide::kDigits ? 0 : -limit;
    if (read.digits[i] < least || read.digits[i] >= limit) return false;
  }
  words[2] = reinterpret_cast<std::uint64_t>(new Wide(read));
  return true;
}

void ExactSum::free(std::uint64_t* words) {
  delete wide_of(words);
  words[0] = words[1] = words[2] = 0;
}

}  // namespace streamd::window
