// SPDX-License-Identifier: Apache-2.0
#include "operators/dedupe/fingerprint.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace streamd::dedupe {
namespace {

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
  std::uint64_t give() {
    for (int i = 0; i < 4; ++i) round();
    return a ^ b ^ c ^ d;
  }
};

}  // namespace

Fingerprint fingerprint(std::string_view bytes, std::uint64_t key0, std::uint64_t key1) {
  static_assert(std::endian::native == std::endian::little, "words are little endian");
  State s{key0 ^ 0x736f6d6570736575ull, key1 ^ 0x646f72616e646f6dull ^ 0xee,
          key0 ^ 0x6c7967656e657261ull, key1 ^ 0x7465646279746573ull};
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    s.take(word);
  }
  std::uint64_t last = 0;
  if (left > 0) std::memcpy(&last, at, left);
  s.take(last | static_cast<std::uint64_t>(bytes.size()) << 56);
  s.c ^= 0xee;
  Fingerprint out;
  out.low = s.give();
  s.b ^= 0xdd;
  out.high = s.give();
  return out;
}

}  // namespace streamd::dedupe
