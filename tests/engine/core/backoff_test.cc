// SPDX-License-Identifier: Apache-2.0
#include "engine/core/backoff.h"

#include "tests/support/catch.h"

using namespace streamd;

TEST_CASE("waits grow to the cap and start anew after a success", "[backoff]") {
  Backoff backoff({Duration::from_millis(100), Duration::from_seconds(1), 2}, [] { return 0.0; });
  const Duration now = Duration::from_seconds(1000);
  CHECK(backoff.due(now));
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 6; ++i) waits.push_back(backoff.failed(now).micros / 1000);
  CHECK(waits == std::vector<std::int64_t>{50, 100, 200, 400, 500, 500});
  CHECK(backoff.failures() == 6);
  CHECK_FALSE(backoff.due(now));
  CHECK(backoff.wait(now) == Duration::from_millis(500));
  CHECK(backoff.due(now + Duration::from_millis(500)));
  backoff.succeeded();
  CHECK(backoff.due(now));
  CHECK(backoff.failures() == 0);
  CHECK(backoff.failed(now) == Duration::from_millis(50));
}

TEST_CASE("the dice spread a wait over its upper half", "[backoff]") {
  const BackoffLimits limits{Duration::from_seconds(10), Duration::from_seconds(10), 2};
  Backoff backoff(limits, random_dice(7));
  Duration least = Duration::from_seconds(100), most{};
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = backoff.failed({});
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  CHECK(least >= Duration::from_seconds(5));
  CHECK(least < Duration::from_millis(5100));
  CHECK(most < Duration::from_seconds(10));
  CHECK(most > Duration::from_millis(9900));
}

TEST_CASE("a wait is never shorter than what the service asks for", "[backoff]") {
  BackoffLimits limits;
  limits.longest_asked = Duration::from_seconds(600);
  double die = 0;
  Backoff backoff(limits, [&] { return die; });
  CHECK(backoff.failed({}, Duration::from_seconds(60)) == Duration::from_seconds(60));
  die = 0.5;
  CHECK(backoff.failed({}, Duration::from_seconds(60)) == Duration::from_seconds(63));
  die = 0;
  CHECK(backoff.failed({}, Duration::from_seconds(1'000'000)) == Duration::from_seconds(600));
  CHECK(backoff.failed({}, Duration{-5}) > Duration{});
}
