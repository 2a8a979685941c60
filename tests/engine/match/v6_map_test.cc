// SPDX-License-Identifier: Apache-2.0
#include "engine/match/segments.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

using namespace streamd;

TEST_CASE("segments of IPv6 addresses are found as by a search among all of them") {
  std::mt19937_64 dice(9);
  for (int round = 0; round < 60; ++round) {
    // Upper halves that are crowded, or spread, or the first and last there are.
    const std::uint64_t tops = 1 + dice() % 2000, most_lows = 1 + dice() % 40;
    const auto some_half = [&](std::uint64_t few) {
      switch (dice() % 8) {
        case 0: return ~std::uint64_t{0} - dice() % 3;
        case 1: return std::uint64_t{0};
        case 2: return dice();
        default: return dice() % few + (std::uint64_t{1} << 63) - few / 2;
      }
    };
    const auto some_address = [&] {
      return Uint128{some_half(tops)} << 64 |
             (dice() % 2 == 0 ? std::uint64_t{0} : some_half(most_lows));
    };
    std::set<Uint128> starts{0};
    for (auto left = dice() % 6000; left > 0; --left) starts.insert(some_address());
    Segments<Uint128> segments;
    for (const Uint128 start : starts)
      segments.add(start, dice() % 3 == 0 ? 0 : static_cast<std::uint32_t>(dice() % 5 + 1) << 23);
    V6Map map;
    map.build(segments);
    std::vector<Uint128> asked;
    for (const Uint128 start : starts) asked.insert(asked.end(), {start, start - 1, start + 1});
    for (int i = 0; i < 500; ++i) asked.push_back(some_address());
    for (std::size_t first = 0; first < asked.size(); first += kLookupBlock) {
      const std::size_t count = std::min(kLookupBlock, asked.size() - first);
      std::uint32_t ids[kLookupBlock], plain[kLookupBlock];
      map.find(&asked[first], count, ids);
      map.find_plain(&asked[first], count, plain);
      for (std::size_t i = 0; i < count; ++i) {
        const auto after =
            std::upper_bound(segments.starts.begin(), segments.starts.end(), asked[first + i]);
        const auto wanted =
            segments.ids[static_cast<std::size_t>(after - segments.starts.begin()) - 1];
        REQUIRE(ids[i] == wanted);
        REQUIRE(plain[i] == wanted);
      }
    }
  }
}

TEST_CASE("an empty map of IPv6 addresses finds nothing") {
  const V6Map map;
  CHECK(map.empty());
  CHECK(map.find(5) == 0);
}
