// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/source_clock.h"

#include "engine/runtime/lane.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

constexpr Duration at(std::int64_t seconds) { return Duration::from_seconds(seconds); }
constexpr EventTime time_of(std::int64_t seconds) { return {seconds * 1'000'000}; }
constexpr EventTime kEnded = EventTime::max();

}  // namespace

TEST_CASE("a worker that has nothing says what the others say", "[runtime]") {
  SourceClock clock(2);
  CHECK(clock.say(0, kIdleMark, at(1)) == EventTime::min());  // the other one may still read
  CHECK(clock.say(1, time_of(100), at(1)) == time_of(100));
  CHECK(clock.say(0, kIdleMark, at(1)) == time_of(100));
  CHECK(clock.say(0, kEnded, at(1)) == time_of(100));
  CHECK(clock.say(1, kEnded, at(1)) == kEnded);
  CHECK(clock.say(0, kEnded, at(1)) == kEnded);
}

TEST_CASE("a source without a record is idle for good", "[runtime]") {
  SourceClock clock(2);
  clock.say(0, kIdleMark, at(1));
  CHECK(clock.say(1, kIdleMark, at(1)) == kIdleMark);
  CHECK(clock.say(0, kIdleMark, at(90)) == kIdleMark);
}

TEST_CASE("when all are idle the wall clock goes on from the newest record", "[runtime]") {
  SourceClock clock(2);
  clock.reach(time_of(100));
  clock.say(0, time_of(100), at(10));
  clock.say(1, kIdleMark, at(10));
  CHECK(clock.say(0, kIdleMark, at(20)) == time_of(100));
  // Only as far as both know that there was nothing.
  CHECK(clock.say(0, kIdleMark, at(23)) == time_of(100));
  CHECK(clock.say(1, kIdleMark, at(22)) == time_of(102));
  CHECK(clock.say(0, kIdleMark, at(30)) == time_of(102));
  CHECK(clock.say(1, kEnded, at(23)) == time_of(110));
}

TEST_CASE("a silence begins with what the last worker to be idle knows", "[runtime]") {
  // The other one had nothing for long, and what it knew was from before a broker hung.
  SourceClock clock(2);
  clock.reach(time_of(100));
  clock.say(1, kIdleMark, at(10));
  clock.say(0, time_of(100), at(10));
  CHECK(clock.say(0, kIdleMark, at(60)) == time_of(100));
  CHECK(clock.say(1, kIdleMark, at(60)) == time_of(100));
  CHECK(clock.say(0, kIdleMark, at(61)) == time_of(100));
  CHECK(clock.say(1, kIdleMark, at(61)) == time_of(101));
}

TEST_CASE("a record ends a silence and the next one begins with it", "[runtime]") {
  SourceClock clock(2);
  clock.reach(time_of(100));
  clock.say(0, kIdleMark, at(10));
  CHECK(clock.say(1, kIdleMark, at(10)) == time_of(100));
  clock.say(0, kIdleMark, at(70));
  CHECK(clock.say(1, kIdleMark, at(70)) == time_of(160));
  clock.reach(time_of(161));
  CHECK(clock.say(0, time_of(161), at(70)) == time_of(161));
  CHECK(clock.say(1, kIdleMark, at(75)) == time_of(161));
  CHECK(clock.say(0, kIdleMark, at(75)) == time_of(161));
  CHECK(clock.say(1, kIdleMark, at(78)) == time_of(161));
  CHECK(clock.say(0, kIdleMark, at(77)) == time_of(163));
}

TEST_CASE("one that ends last takes no silence over that the others had before", "[runtime]") {
  SourceClock clock(2);
  clock.reach(time_of(100));
  clock.say(0, kIdleMark, at(10));
  clock.say(1, time_of(100), at(90));
  clock.say(0, kIdleMark, at(90));
  clock.say(1, kEnded, at(90));
  CHECK(clock.say(0, kIdleMark, at(91)) == time_of(101));
}

TEST_CASE("a worker reads a source until it says that it has nothing of it", "[runtime]") {
  SourceClock clock(2);
  CHECK(clock.reads(1));  // for all that is known
  clock.say(1, time_of(100), at(1));
  CHECK(clock.reads(1));
  clock.say(1, kIdleMark, at(1));
  CHECK(!clock.reads(1));
  clock.say(1, time_of(100), at(1));
  CHECK(clock.reads(1));
  clock.say(1, kEnded, at(1));
  CHECK(!clock.reads(1));
  CHECK(clock.reads(0));
}

TEST_CASE("the front of the others is the earliest of them", "[runtime]") {
  SourceClock clock(3);
  CHECK(clock.front_of_others(0) == EventTime::max());
  clock.show_front(0, time_of(1));
  clock.show_front(1, time_of(3));
  clock.show_front(2, time_of(2));
  CHECK(clock.front_of_others(0) == time_of(2));
  CHECK(clock.front_of_others(2) == time_of(1));
}
