// SPDX-License-Identifier: Apache-2.0
// The order of keys against that of their bytes.
#include "operators/window/key_order.h"

#include "engine/core/hash.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace streamd::window {
namespace {

constexpr std::uint64_t kSeed = 7;

// Keys without doubles, in the order in which they were made.
void check_order(std::vector<std::string> made) {
  std::sort(made.begin(), made.end());
  made.erase(std::unique(made.begin(), made.end()), made.end());
  std::vector<std::string> expected = made;
  std::mt19937 random(static_cast<unsigned>(made.size()));
  std::shuffle(made.begin(), made.end(), random);
  KeyTable keys;
  std::vector<std::uint32_t> ids;
  for (const auto& key : made) ids.push_back(keys.insert({key, false}, hash_bytes(key, kSeed)));
  sort_by_key(ids, keys);
  std::vector<std::string> sorted;
  for (const std::uint32_t id : ids) sorted.emplace_back(keys.entry(id).bytes());
  CHECK(sorted == expected);
}

}  // namespace

TEST_CASE("keys are sorted by their bytes, wherever they differ", "[window]") {
  check_order({});
  check_order({"one"});
  const std::string zeros(40, '\0');
  std::vector<std::string> prefixes;
  for (std::size_t size = 1; size <= zeros.size(); ++size)
    prefixes.push_back(zeros.substr(0, size));
  check_order(prefixes);
  std::mt19937 random(3);
  const auto some = [&](std::size_t count, const std::function<std::string()>& make) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < count; ++i) keys.push_back(make());
    check_order(std::move(keys));
  };
  // Bytes on both sides of 0x80, and zeros, which a key that ends seems to have.
  some(2000, [&] {
    std::string key(1 + random() % 6, '\0');
    for (char& c : key) c = "\0\1\x7f\x80\xff"[random() % 5];
    return key;
  });
  // Only far behind what is looked at first.
  some(500, [&] { return std::string(40, 'x') + std::to_string(random() % 10'000); });
  // In more than eight places, some of them behind those.
  some(2000, [&] {
    std::string key = "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-";
    for (std::size_t at = 0; at < key.size(); at += 2)
      key[at] = static_cast<char>('a' + random() % 2);
    return key.substr(0, 20 + random() % 20);
  });
  some(2000, [&] { return std::to_string(random()); });
}

}  // namespace streamd::window
