// SPDX-License-Identifier: Apache-2.0
// A regular expression as a tree, for pattern_program.h. Private to codec/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace streamd {

// Characters: which ASCII ones, and what of the others.
struct CharSet {
  std::array<std::uint64_t, 4> bits{};  // by byte; of `wide` all from 0x80
  bool wide = false;                    // every character beyond ASCII
  bool unsure = false;  // perhaps some of them: only RE2 knows (k and the Kelvin sign)

  bool has(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    return ((bits[byte >> 6] >> (byte & 63)) & 1) != 0;
  }
  void add(unsigned byte) { bits[byte >> 6] |= std::uint64_t{1} << (byte & 63); }
  void add(unsigned from, unsigned to) {
    for (unsigned byte = from; byte <= to; ++byte) add(byte);
  }
  void add(const CharSet& other) {
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] |= other.bits[i];
    wide = wide || other.wide;
    unsure = unsure || other.unsure;
  }
  void invert() {
    for (auto& word : bits) word = ~word;
    wide = !wide;
    if (!wide) bits[2] = bits[3] = 0;
  }
  bool meets(const CharSet& other) const {
    for (std::size_t i = 0; i < bits.size(); ++i)
      if ((bits[i] & other.bits[i]) != 0) return true;
    return false;
  }
};

struct PatternNode {
  enum class Kind : std::uint8_t {
    empty,
    set,    // one character of `set`
    byte,   // this byte: ASCII, or a part of a longer character
    chain,  // kids one after the other
    choice,
    repeat,   // the kid, min to max times
    capture,  // the kid, into `group`
    begin,
    end,
    word_edge,
  };
  static constexpr std::uint32_t kForever = std::numeric_limits<std::uint32_t>::max();

  Kind kind = Kind::empty;
  CharSet set;
  char byte = 0;
  std::uint32_t min = 0, max = 0, group = 0;  // group: from 1
  bool greedy = true;
  std::vector<PatternNode> kids;
};

// What RE2 takes, but not all of it. nullopt: something that is not read here (flags but i,
// characters beyond ASCII in classes, Unicode classes, \B, …), or that is no pattern at all.
std::optional<PatternNode> read_pattern(std::string_view pattern);

}  // namespace streamd
