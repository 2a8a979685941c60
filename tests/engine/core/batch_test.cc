// SPDX-License-Identifier: Apache-2.0
#include "engine/core/batch.h"

#include "engine/core/arena.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

Batch three_rows() {
  auto rows = std::make_shared<Rows>();
  for (std::int64_t i = 0; i < 3; ++i) {
    rows->time.push_back({i});
    rows->floor.push_back(EventTime::min());
    rows->position.push_back(static_cast<std::uint64_t>(100 + i));
  }
  auto column =
      std::make_shared<Column>(Column{Value::int64(10), Value::int64(11), Value::int64(12)});
  return Batch(rows, {column}, std::make_shared<const Origin>(Origin{"source", "p/0"}));
}

}  // namespace

TEST_CASE("a selection shows only its rows and shares the columns", "[core]") {
  const Batch all = three_rows();
  const Batch some = all.select({0, 2});
  REQUIRE(some.size() == 2);
  CHECK(some.at(0, 1).as_int() == 12);
  CHECK(some.position(1) == 102);
  CHECK(some.physical_rows() == 3);
  CHECK(some.column(0) == all.column(0));
  CHECK(some.raw(0).empty());
  CHECK(all.size() == 3);
}

TEST_CASE("a batch keeps what its values point to", "[core]") {
  std::weak_ptr<Arena> watched;
  Batch derived;
  {
    auto arena = std::make_shared<Arena>();
    watched = arena;
    Batch batch = three_rows();
    batch.keep(arena);
    derived = batch.select({1});
  }
  CHECK_FALSE(watched.expired());
  derived = Batch();
  CHECK(watched.expired());
  CHECK(derived.empty());
}

TEST_CASE("an arena's texts stay where they are while it grows", "[core]") {
  Arena arena(64);
  std::vector<std::string_view> texts;
  for (int i = 0; i < 500; ++i) texts.push_back(arena.copy("text number " + std::to_string(i)));
  for (int i = 0; i < 500; ++i)
    CHECK(texts[static_cast<std::size_t>(i)] == "text number " + std::to_string(i));
  const auto big = arena.copy(std::string(10'000, 'x'));
  CHECK(big.size() == 10'000);
}
