// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/taps.h"

#include "tests/support/catch.h"

#include <numeric>
#include <thread>

using namespace streamd;

namespace {

// Records whose positions count from `first`.
Batch numbered(std::size_t count, std::uint64_t first = 0) {
  auto rows = std::make_shared<Rows>();
  rows->time.resize(count);
  rows->floor.resize(count);
  rows->position.resize(count);
  std::iota(rows->position.begin(), rows->position.end(), first);
  return {std::move(rows), {}, std::make_shared<const Origin>(Origin{"in", "0"})};
}

std::vector<std::uint64_t> taken(Taps::Tap& tap) {
  std::vector<Batch> batches;
  tap.take(batches);
  std::vector<std::uint64_t> positions;
  for (const auto& batch : batches)
    for (std::size_t i = 0; i < batch.size(); ++i) positions.push_back(batch.position(i));
  return positions;
}

}  // namespace

TEST_CASE("a tap sees its node's port and nothing else", "[taps]") {
  Taps taps;
  CHECK_FALSE(taps.any());
  auto tap = taps.open(3, Port::out);
  REQUIRE(tap);
  CHECK(taps.any());
  taps.offer(3, Port::out, numbered(2, 10));
  taps.offer(3, Port::late, numbered(1, 20));
  taps.offer(3, Port::errors, numbered(1, 30));
  taps.offer(2, Port::out, numbered(1, 40));
  taps.offer(3, route_port(1), numbered(1, 50));  // of a node with named outputs, `out` is all
  CHECK(taken(tap) == std::vector<std::uint64_t>{10, 11, 50});
  CHECK(taken(tap).empty());
  CHECK(tap.seen() == 3);
  CHECK(tap.skipped() == 0);
}

TEST_CASE("the tap of one named output sees only that", "[taps]") {
  Taps taps;
  auto tap = taps.open(0, route_port(1));
  taps.offer(0, route_port(0), numbered(1, 1));
  taps.offer(0, route_port(1), numbered(1, 2));
  CHECK(taken(tap) == std::vector<std::uint64_t>{2});
}

TEST_CASE("two taps on one node get the same records", "[taps]") {
  Taps taps;
  auto one = taps.open(0, Port::out), two = taps.open(0, Port::out);
  taps.offer(0, Port::out, numbered(2));
  CHECK(taken(one) == taken(two));
  CHECK(two.seen() == 2);
}

TEST_CASE("places are few, and given back", "[taps]") {
  Taps taps;
  std::vector<Taps::Tap> open;
  for (std::size_t i = 0; i < Taps::kMaxTaps; ++i) {
    open.push_back(taps.open(i, Port::out));
    REQUIRE(open.back());
  }
  CHECK_FALSE(taps.open(9, Port::out));
  taps.offer(1, Port::out, numbered(5));
  open.erase(open.begin() + 1);
  auto again = taps.open(1, Port::out);
  REQUIRE(again);
  CHECK(again.seen() == 0);
  CHECK(taken(again).empty());  // not what somebody else left
  open.clear();
  CHECK(taps.any());
  again = {};
  CHECK_FALSE(taps.any());
}

TEST_CASE("what nobody takes is counted and not kept", "[taps]") {
  Taps taps;
  auto tap = taps.open(0, Port::out);
  for (int i = 0; i < 1000; ++i) taps.offer(0, Port::out, numbered(100));
  CHECK(tap.seen() == 100'000);
  const std::size_t kept = taken(tap).size();
  CHECK(kept <= Taps::kMaxRecords);
  CHECK(kept >= Taps::kMaxBatches * 100);
  CHECK(tap.skipped() == 100'000 - kept);
  taps.offer(0, Port::out, numbered(100, 7));  // there is room again
  CHECK(taken(tap).front() == 7);
}

TEST_CASE("a batch that alone is more than may wait is seen all the same", "[taps]") {
  Taps taps;
  auto tap = taps.open(0, Port::out);
  taps.offer(0, Port::out, numbered(Taps::kMaxRecords + 1));
  taps.offer(0, Port::out, numbered(1));
  CHECK(taken(tap).size() == Taps::kMaxRecords + 1);
  CHECK(tap.skipped() == 1);
}

TEST_CASE("workers and lookers at the same time lose count of nothing", "[taps]") {
  Taps taps;
  constexpr int kWorkers = 3, kBatches = 3000;
  auto steady = taps.open(0, Port::out);
  std::vector<std::jthread> threads;
  for (int w = 0; w < kWorkers; ++w)
    threads.emplace_back([&] {
      const Batch batch = numbered(10);
      for (int i = 0; i < kBatches; ++i)
        if (taps.any()) taps.offer(0, Port::out, batch);
    });
  threads.emplace_back([&] {
    for (int i = 0; i < 300; ++i) {
      auto brief = taps.open(0, Port::out);
      (void)taken(brief);
    }
  });
  std::uint64_t got = 0;
  while (steady.seen() < kWorkers * kBatches * 10) got += taken(steady).size();
  threads.clear();
  got += taken(steady).size();
  CHECK(got + steady.skipped() == kWorkers * kBatches * 10);
}
