// SPDX-License-Identifier: Apache-2.0
#include "engine/match/text_table.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

using namespace streamd;

TEST_CASE("texts are found in full buckets, behind them and round the end of the table") {
  std::mt19937_64 dice(7);
  for (int round = 0; round < 200; ++round) {
    const std::size_t count = 1 + dice() % 300;
    TextTable table;
    table.reserve(count);
    std::map<std::uint32_t, std::uint64_t> known;
    // Few different hashes, most of them of one bucket.
    const auto some_hash = [&] {
      const std::uint64_t upper = dice() % 3 == 0 ? dice() : round % 2 == 0 ? 0 : ~std::uint64_t{0};
      return upper << 32 | dice() % 8;
    };
    for (std::uint32_t text = 1; text <= count; ++text) {
      known[text] = some_hash();
      table.insert(known[text], text);
    }
    for (const auto& [text, hash] : known) {
      std::vector<std::uint32_t> asked;
      REQUIRE(table.find(hash, [&](std::uint32_t candidate) {
        asked.push_back(candidate);
        return candidate == text;
      }) == text);
      const auto first = table.candidate(hash);
      REQUIRE((first == asked.front() || first == TextTable::kLookOn));
    }
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t hash = some_hash() ^ 1024;
      REQUIRE(table.find(hash, [](std::uint32_t) { return true; }) == 0);
      const auto first = table.candidate(hash);
      REQUIRE((first == 0 || first == TextTable::kLookOn));
    }
  }
}

TEST_CASE("an empty table finds nothing") {
  TextTable table;
  table.reserve(0);
  CHECK(table.empty());
  CHECK(table.find(5, [](std::uint32_t) { return true; }) == 0);
  CHECK(table.bytes() == 0);
}
