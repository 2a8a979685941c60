// SPDX-License-Identifier: Apache-2.0
#include "engine/core/time.h"

#include "engine/core/clock.h"
#include "tests/support/catch.h"

using namespace streamd;

TEST_CASE("a slice starts at or before its times, also before 1970", "[core]") {
  const Duration second = Duration::from_seconds(1);
  CHECK(slice_start({1'500'000}, second) == EventTime{1'000'000});
  CHECK(slice_start({1'000'000}, second) == EventTime{1'000'000});
  CHECK(slice_start({0}, second) == EventTime{0});
  CHECK(slice_start({-1}, second) == EventTime{-1'000'000});
  CHECK(slice_start({-1'000'000}, second) == EventTime{-1'000'000});
}

TEST_CASE("times saturate at both ends instead of wrapping", "[core]") {
  const Duration second = Duration::from_seconds(1);
  const EventTime late{std::numeric_limits<std::int64_t>::max() - 1};
  CHECK(late + second == EventTime::max());
  CHECK(EventTime::max() - second == EventTime::max());
  CHECK(EventTime::min() + second == EventTime::min());
  CHECK((EventTime::max() - EventTime::min()).micros == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a jump of the wall clock does not move the monotonic one", "[core]") {
  ManualClock clock({1'000});
  const Duration before = clock.monotonic();
  clock.jump({5});
  CHECK(clock.wall() == EventTime{5});
  CHECK(clock.monotonic() == before);
  clock.advance(Duration::from_millis(1));
  CHECK(clock.wall() == EventTime{1'005});
  CHECK(clock.monotonic() > before);
}
