// SPDX-License-Identifier: Apache-2.0
#include "sources/line_block.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <random>
#include <string>

using namespace streamd;

namespace {

// Byte by byte. Returns how many bytes were used.
std::size_t slow_lines(const std::string& text, std::size_t max_records,
                       std::vector<std::pair<std::size_t, std::string>>& lines) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size() && lines.size() < max_records; ++i) {
    if (text[i] != '\n') continue;
    std::string line = text.substr(begin, i - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.emplace_back(begin, line);
    begin = i + 1;
  }
  return begin;
}

}  // namespace

TEST_CASE("Lines are cut where their ends are, however long they are") {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::size_t longest = 1 + random() % 150;
    for (std::size_t left = random() % 12; left > 0; --left) {
      text.append(random() % longest, 'x');
      if (random() % 4 == 0) text += '\r';
      text += '\n';
    }
    text.append(random() % longest, 'y');
    const std::size_t most = random() % 4 == 0 ? random() % 6 : 1000;

    std::vector<std::pair<std::size_t, std::string>> expected;
    const std::size_t used = slow_lines(text, most, expected);
    // Exactly as many bytes as there are, so that reading behind them is found out.
    const auto bytes = std::make_unique<char[]>(text.size());
    std::copy(text.begin(), text.end(), bytes.get());
    RawBatch out;
    const EventTime arrival{5};
    INFO("round " << round);
    REQUIRE(take_lines(bytes.get(), text.size(), 1000, arrival, most, out) == used);
    REQUIRE(out.records.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      REQUIRE(out.records[i].position == 1000 + expected[i].first);
      REQUIRE(out.records[i].data == expected[i].second);
      REQUIRE(out.records[i].arrival == arrival);
    }
  }
}
