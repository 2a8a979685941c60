// SPDX-License-Identifier: Apache-2.0
// What a key costs that dedupe remembers, in time and memory:
//   bench_dedupe_cost [keys, 10000000 by default]
// Each key comes twice, in two orders, so half of the look-ups find one. Prints JSON.
#include "operators/dedupe/seen_table.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

using namespace streamd;

namespace {

constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::size_t kBlock = 64;  // as many as the operator fetches ahead

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Asked {
  unsigned group;
  dedupe::Fingerprint key;
};

Asked key_of(std::uint64_t n) {
  char text[8];
  std::memcpy(text, &n, sizeof text);
  const auto key = dedupe::fingerprint({text, sizeof text}, 1, 2);
  return {static_cast<unsigned>(key.high % kKeyGroups), key};
}

// How many were there already.
std::size_t pass(dedupe::SeenTable& table, std::size_t keys, std::size_t step) {
  std::size_t found = 0;
  std::vector<Asked> block(kBlock);
  for (std::size_t first = 0; first < keys; first += kBlock) {
    const std::size_t count = std::min(kBlock, keys - first);
    for (std::size_t i = 0; i < count; ++i) {
      block[i] = key_of((first + i) * step % keys);
      table.prefetch(block[i].group, block[i].key);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (table.find(block[i].group, block[i].key, 0, -kDay) != nullptr)
        ++found;
      else
        table.insert(block[i].group, block[i].key, 0);
    }
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  dedupe::SeenTable table(kDay);
  const double begin = cpu_seconds();
  const std::size_t before = pass(table, keys, 1);
  const double filled = cpu_seconds();
  const std::size_t again = pass(table, keys, 999'983);  // a prime that divides no round number
  const double asked = cpu_seconds();
  const double scale = 1e9 / static_cast<double>(keys);
  std::printf(
      "{\"keys\": %zu, \"again\": %zu, \"bytes_per_key\": %.1f, \"new_ns\": %.1f, "
      "\"known_ns\": %.1f}\n",
      table.size(), again, static_cast<double>(table.memory()) / static_cast<double>(table.size()),
      (filled - begin) * scale, (asked - filled) * scale);
  return before == 0 && again == keys ? 0 : 1;
}
