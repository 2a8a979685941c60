// SPDX-License-Identifier: Apache-2.0
// The scalars of this operator's rows on disk: varints (7 bits a byte, low bits first), signed ones
// zigzagged, and texts as length and bytes. Readers take from the front and never trust a length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::window {

inline void put_varint(std::string& out, std::uint64_t v) {
  while (v >= 0x80) {
    out.push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out.push_back(static_cast<char>(v));
}
inline bool take_varint(std::string_view& in, std::uint64_t& v) {
  v = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    v |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

inline void put_signed(std::string& out, std::int64_t v) {
  put_varint(out, (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
}
inline bool take_signed(std::string_view& in, std::int64_t& v) {
  std::uint64_t u = 0;
  if (!take_varint(in, u)) return false;
  v = static_cast<std::int64_t>((u >> 1) ^ (0 - (u & 1)));
  return true;
}

inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}
inline bool take_text(std::string_view& in, std::string_view& text) {
  std::uint64_t size = 0;
  if (!take_varint(in, size) || size > in.size()) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

// Big endian with the sign flipped: the order of the bytes is the order of the numbers.
inline void put_ordered(std::string& out, std::int64_t v) {
  const std::uint64_t u = static_cast<std::uint64_t>(v) ^ (std::uint64_t{1} << 63);
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(u >> shift));
}
inline bool take_ordered(std::string_view& in, std::int64_t& v) {
  if (in.size() < 8) return false;
  std::uint64_t u = 0;
  for (std::size_t i = 0; i < 8; ++i) u = (u << 8) | static_cast<unsigned char>(in[i]);
  in.remove_prefix(8);
  v = static_cast<std::int64_t>(u ^ (std::uint64_t{1} << 63));
  return true;
}

}  // namespace streamd::window
