// SPDX-License-Identifier: Apache-2.0
#include "engine/match/address.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace streamd {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct Groups {
  std::array<std::uint16_t, 8> at = {};
  unsigned count = 0;
};

// What stands on one side of "::", or all of it. A dotted tail counts as two groups.
bool read_groups(std::string_view text, bool may_end_dotted, Groups& out) {
  if (text.empty()) return true;
  for (;;) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    const bool is_last = colon == std::string_view::npos;
    std::uint32_t dotted = 0;
    if (is_last && may_end_dotted && out.count <= 6 && parse_v4(part, dotted)) {
      out.at[out.count++] = static_cast<std::uint16_t>(dotted >> 16);
      out.at[out.count++] = static_cast<std::uint16_t>(dotted);
      return true;
    }
    if (part.empty() || part.size() > 4 || out.count == 8) return false;
    unsigned value = 0;
    for (const char c : part) {
      const int digit = hex_digit(c);
      if (digit < 0) return false;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    out.at[out.count++] = static_cast<std::uint16_t>(value);
    if (is_last) return true;
    text.remove_prefix(colon + 1);
  }
}

bool parse_v6(std::string_view text, Uint128& out) {
  constexpr std::size_t kLongest = 45;
  if (text.size() < 2 || text.size() > kLongest) return false;
  Groups head, tail;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!read_groups(text, true, head) || head.count != 8) return false;
  } else if (!read_groups(text.substr(0, gap), false, head) ||
             !read_groups(text.substr(gap + 2), true, tail) || head.count + tail.count > 7) {
    return false;
  }
  std::array<std::uint16_t, 8> all = {};
  std::copy_n(head.at.begin(), head.count, all.begin());
  std::copy_n(tail.at.begin(), tail.count, all.end() - tail.count);
  out = 0;
  for (const std::uint16_t group : all) out = out << 16 | group;
  return true;
}

// The first byte is the lowest.
std::uint64_t load(const char* at, std::size_t size) {
  std::uint64_t bytes = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&bytes, at, size);
  } else {
    for (std::size_t i = size; i-- > 0;) bytes = bytes << 8 | static_cast<unsigned char>(at[i]);
  }
  return bytes;
}

// Bit n: byte n is a dot.
std::uint32_t dots_of(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ull, kLow = 0x7F7F7F7F7F7F7F7Full;
  const std::uint64_t other = bytes ^ ('.' * kOnes);
  const std::uint64_t same = ~(((other & kLow) + kLow) | other | kLow);
  return static_cast<std::uint32_t>((same >> 7) * 0x0102040810204080ull >> 56);
}

// The decimal number of the last `length` (1 to 4) of three bytes. `bad` is not 0 afterwards when
// it is none, has four digits, begins with a zero, or is above 255.
[[gnu::always_inline]] inline std::uint32_t number_of(std::uint32_t bytes, std::uint32_t length,
                                                      std::uint32_t& bad) {
  constexpr std::array<std::uint32_t, 5> kMask = {0, 0xFF0000, 0xFFFF00, 0xFFFFFF, 0xFFFFFF};
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 10, 100, UINT32_MAX};
  const std::uint32_t digits = (bytes ^ 0x303030) & kMask[length];
  bad |= (digits | (digits + 0x767676)) & 0x808080;
  const std::uint32_t number =
      (digits & 0xFF) * 100 + (digits >> 8 & 0xFF) * 10 + (digits >> 16 & 0xFF);
  bad |= number < kLeast[length] || number > 255 ? 1 : 0;
  return number & 0xFF;
}

constexpr Uint128 kMappedFront = 0xFFFF;

bool is_mapped(Uint128 bits) { return bits >> 32 == kMappedFront; }

IpAddress settled(Uint128 bits) {
  if (is_mapped(bits)) return {false, bits & 0xFFFFFFFFu};
  return {true, bits};
}

std::optional<IpNetwork> network(bool v6, Uint128 bits, unsigned prefix) {
  if (prefix > (v6 ? 128u : 32u)) return std::nullopt;
  if (v6 && is_mapped(bits) && prefix >= 96) {
    v6 = false;
    bits &= 0xFFFFFFFFu;
    prefix -= 96;
  }
  const unsigned host = (v6 ? 128u : 32u) - prefix;
  bits = host == 128 ? 0 : bits >> host << host;
  return IpNetwork{{v6, bits}, prefix};
}

}  // namespace

// Without a branch on how many digits a number has: in logs every guess about that fails.
bool parse_v4(std::string_view text, std::uint32_t& address) {
  const auto size = static_cast<std::uint32_t>(text.size());
  if (text.size() < 7 || text.size() > 15) return false;
  const char* const bytes = text.data();
  // In two pieces that overlap.
  const std::uint32_t dots =
      size >= 8 ? dots_of(load(bytes, 8)) | dots_of(load(bytes + size - 8, 8)) << (size - 8)
                : dots_of(load(bytes, 4) | load(bytes + 3, 4) << 24);
  const std::uint32_t second = dots & (dots - 1), third = second & (second - 1);
  if (third == 0 || (third & (third - 1)) != 0) return false;
  const auto a = static_cast<std::uint32_t>(std::countr_zero(dots)),
             b = static_cast<std::uint32_t>(std::countr_zero(second)),
             c = static_cast<std::uint32_t>(std::countr_zero(third));
  const std::uint32_t lengths[] = {a, b - a - 1, c - b - 1, size - c - 1};
  if (((lengths[0] - 1) | (lengths[1] - 1) | (lengths[2] - 1) | (lengths[3] - 1)) > 3) return false;
  const auto four = [](const char* at) { return static_cast<std::uint32_t>(load(at, 4)); };
  std::uint32_t bad = 0;
  address = number_of(four(bytes) << ((24 - 8 * a) & 31), lengths[0], bad) << 24 |
            number_of(four(bytes + b - 3), lengths[1], bad) << 16 |
            number_of(four(bytes + c - 3), lengths[2], bad) << 8 |
            number_of(four(bytes + size - 4) >> 8, lengths[3], bad);
  return bad == 0;
}

std::optional<IpAddress> parse_address(std::string_view text) {
  std::uint32_t v4 = 0;
  if (parse_v4(text, v4)) return IpAddress{false, v4};
  Uint128 v6 = 0;
  if (parse_v6(text, v6)) return settled(v6);
  return std::nullopt;
}

std::optional<IpAddress> address_of(std::string_view octets) {
  if (octets.size() != 4 && octets.size() != 16) return std::nullopt;
  Uint128 bits = 0;
  for (const char c : octets) bits = bits << 8 | static_cast<unsigned char>(c);
  return octets.size() == 4 ? IpAddress{false, bits} : settled(bits);
}

std::optional<IpNetwork> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view front = text.substr(0, slash);
  std::uint32_t v4 = 0;
  Uint128 bits = 0;
  const bool is_v4 = parse_v4(front, v4);
  if (is_v4)
    bits = v4;
  else if (!parse_v6(front, bits))
    return std::nullopt;
  if (slash == std::string_view::npos) return network(!is_v4, bits, is_v4 ? 32 : 128);
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3 || !std::all_of(digits.begin(), digits.end(), is_digit) ||
      (digits.size() > 1 && digits[0] == '0'))
    return std::nullopt;
  unsigned prefix = 0;
  for (const char c : digits) prefix = prefix * 10 + static_cast<unsigned>(c - '0');
  return network(!is_v4, bits, prefix);
}

std::optional<IpNetwork> network_of(std::string_view bytes) {
  if (bytes.size() != 5 && bytes.size() != 17) return std::nullopt;
  Uint128 bits = 0;
  for (const char c : bytes.substr(0, bytes.size() - 1))
    bits = bits << 8 | static_cast<unsigned char>(c);
  return network(bytes.size() == 17, bits, static_cast<unsigned char>(bytes.back()));
}

bool looks_like_address(std::string_view text) {
  std::size_t colons = 0, dots = 0, slashes = 0, letters = 0;
  for (const char c : text) {
    if (hex_digit(c) < 0 && c != '.' && c != '/' && c != ':') return false;
    colons += c == ':';
    dots += c == '.';
    slashes += c == '/';
    letters += !is_digit(c) && hex_digit(c) >= 0;
  }
  return colons >= 2 || (letters == 0 && dots + slashes > 0);
}

}  // namespace streamd
