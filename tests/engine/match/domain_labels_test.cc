// SPDX-License-Identifier: Apache-2.0
#include "engine/match/domain_labels.h"

#include "tests/support/catch.h"

#include <cctype>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace streamd;

namespace {

constexpr std::uint32_t kAll = ~0u;

// Byte by byte.
bool slowly(const std::string& key) {
  if (key.empty() || key.size() > 253 || key.front() == '.' || key.back() == '.') return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0 && key[i] == '.' && key[i - 1] == '.') return false;
    if (static_cast<unsigned char>(key[i]) <= ' ' || key[i] == '/' || key[i] == ':' ||
        key[i] == '@')
      return false;
  }
  return true;
}

// In memory that ends where the text does, so that reading beyond it is noticed.
bool read(DomainLabels& labels, const std::string& key) {
  const std::vector<char> exact(key.begin(), key.end());
  return labels.read({exact.data(), exact.size()});
}

}  // namespace

TEST_CASE("a domain of any size is read, and each of its ends is hashed as if it stood alone") {
  std::mt19937_64 dice(3);
  for (std::size_t size = 1; size <= 260; ++size) {
    for (int round = 0; round < 8; ++round) {
      std::string key;
      while (key.size() < size) {
        const bool dot = !key.empty() && key.back() != '.' && key.size() + 1 < size;
        key += dot && dice() % 5 == 0 ? '.' : static_cast<char>('a' + dice() % 26);
      }
      INFO(key);
      DomainLabels labels(size);
      REQUIRE(read(labels, key) == (size <= 253));
      if (size > 253) continue;
      std::vector<std::pair<std::uint64_t, std::string>> ends;
      labels.ends(kAll, [&](std::uint64_t hash, std::size_t last) {
        ends.emplace_back(hash, key.substr(size - last));
      });
      REQUIRE(ends.size() == labels.count());
      REQUIRE(ends.back() == std::pair(labels.hash(), key));
      std::string wanted = key;
      for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
        REQUIRE(end->second == wanted);
        DomainLabels alone(size);
        for (char& c : wanted)
          if (dice() % 2 == 0) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        REQUIRE(read(alone, wanted));
        REQUIRE(alone.hash() == end->first);
        wanted = end->second.substr(std::min(end->second.find('.'), end->second.size() - 1) + 1);
      }
    }
  }
}

TEST_CASE("only ends with a wanted number of labels are hashed") {
  DomainLabels labels(1);
  REQUIRE(labels.read("a.b.c.d.example"));
  std::vector<std::size_t> sizes;
  labels.ends(label_count_bit(2) | label_count_bit(5),
              [&](std::uint64_t, std::size_t size) { sizes.push_back(size); });
  CHECK(sizes == std::vector<std::size_t>{9, 15});
}

TEST_CASE("what is no domain is noticed at each place, and letters of another size never") {
  std::mt19937_64 dice(4);
  const std::string odd = std::string("./:@ \t\x7f\x80\xff-_[`{", 15) + '\0';
  DomainLabels labels(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string key(1 + dice() % (round % 2 == 0 ? 40 : 253), 'x');
    for (auto left = dice() % 4; left > 0; --left)
      key[dice() % key.size()] = odd[dice() % odd.size()];
    INFO(key);
    REQUIRE(read(labels, key) == slowly(key));
  }
}

TEST_CASE("blocks are read alike with and without wide registers") {
  std::mt19937_64 dice(5);
  for (int round = 0; round < 20'000; ++round) {
    std::uint64_t low = dice(), high = dice();
    if (round % 2 == 0) low = low & 0x3F3F3F3F3F3F3F3Full, high = high & 0x7F7F7F7F7F7F7F7Full;
    const LowerBlock a = lower_block(low, high), b = lower_block_plain(low, high);
    REQUIRE(a.low == b.low);
    REQUIRE(a.high == b.high);
    REQUIRE(a.dots == b.dots);
    REQUIRE(a.bad == b.bad);
  }
}
