// SPDX-License-Identifier: Apache-2.0
// Seeded 64-bit hashing of bytes. The seed is drawn once per state directory and stored there, so
// that keys keep their key group over restarts while an attacker cannot build collision chains.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace streamd {

__extension__ using Uint128 = unsigned __int128;

inline std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<Uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Multiply-fold over 16 bytes a step. Not cryptographic. Stable across builds: values are on disk.
inline std::uint64_t hash_bytes(std::string_view s, std::uint64_t seed) {
  constexpr std::uint64_t k0 = 0x9E3779B97F4A7C15ull, k1 = 0xD6E8FEB86659FD93ull,
                          k2 = 0xA0761D6478BD642Full;
  const char* p = s.data();
  std::size_t n = s.size();
  std::uint64_t h = seed ^ mix64(n ^ k0, seed ^ k1);
  const auto load64 = [](const char* at) {
    std::uint64_t v;
    std::memcpy(&v, at, 8);
    return v;
  };
  const auto load32 = [](const char* at) {
    std::uint32_t v;
    std::memcpy(&v, at, 4);
    return static_cast<std::uint64_t>(v);
  };
  while (n > 16) {
    h = mix64(load64(p) ^ k0 ^ h, load64(p + 8) ^ k2);
    p += 16;
    n -= 16;
  }
  std::uint64_t a = 0, b = 0;
  if (n >= 8) {
    a = load64(p);
    b = load64(p + n - 8);
  } else if (n >= 4) {
    a = load32(p);
    b = load32(p + n - 4);
  } else if (n > 0) {
    a = (static_cast<std::uint64_t>(static_cast<unsigned char>(p[0])) << 16) |
        (static_cast<std::uint64_t>(static_cast<unsigned char>(p[n >> 1])) << 8) |
        static_cast<unsigned char>(p[n - 1]);
  }
  return mix64(a ^ k1 ^ h, b ^ k0 ^ seed);
}

// Keys are sharded by key group; state is stored by key group, so that it can be reopened with
// another number of workers. The number is on disk and never changes.
inline constexpr unsigned kKeyGroups = 256;
inline unsigned key_group(std::uint64_t key_hash) { return static_cast<unsigned>(key_hash >> 56); }
// The worker that owns a key group: contiguous ranges.
inline unsigned owner_of(unsigned group, unsigned workers) { return group * workers / kKeyGroups; }
// The first group of that range; of a worker without groups, that of the next one.
inline unsigned first_group_of(unsigned worker, unsigned workers) {
  return (worker * kKeyGroups + workers - 1) / workers;
}

}  // namespace streamd
