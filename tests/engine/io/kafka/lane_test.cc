// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/lane.h"

#include "tests/support/catch.h"

using streamd::kafka::Lane;

TEST_CASE("a lane takes offsets once and in order, whatever the gaps", "[kafka]") {
  Lane lane(10);
  CHECK_FALSE(lane.offer(9));
  CHECK(lane.offer(10));
  CHECK_FALSE(lane.offer(10));
  CHECK(lane.offer(15));
  CHECK_FALSE(lane.offer(12));
  CHECK(lane.next() == 16);
  CHECK(lane.position() == 10);
}

TEST_CASE("the position follows what was handed out, not what was fetched", "[kafka]") {
  Lane lane(0);
  lane.offer(0);
  lane.offer(1);
  lane.offer(5);
  lane.handed_out(1, false);
  CHECK(lane.position() == 2);
  lane.handed_out(5, true);
  CHECK(lane.position() == 6);
}

TEST_CASE("markers at the end move the position past them", "[kafka]") {
  Lane lane(0);
  lane.offer(0);
  lane.reached(3);
  CHECK_FALSE(lane.caught_up());
  CHECK(lane.position() == 0);
  lane.handed_out(0, true);
  CHECK(lane.position() == 3);
  CHECK(lane.caught_up());
}

TEST_CASE("a bounded lane ends behind markers while the partition grows", "[kafka]") {
  Lane lane(0, 4);
  lane.offer(0);
  lane.handed_out(0, true);
  lane.walked(2, 100);  // more answers follow
  CHECK_FALSE(lane.ended());
  CHECK(lane.wants_more());
  lane.walked(4, 100);  // the last offsets were markers
  CHECK(lane.ended());
  CHECK(lane.position() == 4);
  Lane unbounded(0);
  unbounded.walked(4, 100);
  CHECK(unbounded.position() == 0);
  CHECK_FALSE(unbounded.caught_up());
  unbounded.walked(100, 100);
  CHECK(unbounded.position() == 100);
}

TEST_CASE("a lane is caught up only until the partition grows", "[kafka]") {
  Lane lane(4);
  CHECK_FALSE(lane.caught_up());
  lane.reached(4);
  CHECK(lane.caught_up());
  lane.grows_to(4);
  CHECK(lane.caught_up());
  lane.grows_to(5);
  CHECK_FALSE(lane.caught_up());
  lane.reached(5);
  CHECK(lane.offer(5));
  CHECK_FALSE(lane.caught_up());
}

TEST_CASE("an end of partition from before a seek says nothing", "[kafka]") {
  Lane lane(100);
  lane.reached(7);
  CHECK_FALSE(lane.caught_up());
  CHECK(lane.next() == 100);
}

TEST_CASE("a bounded lane ends at its end", "[kafka]") {
  SECTION("with the last record before it") {
    Lane lane(0, 2);
    CHECK(lane.offer(0));
    CHECK(lane.offer(1));
    CHECK_FALSE(lane.ended());
    lane.handed_out(1, true);
    CHECK(lane.ended());
    CHECK_FALSE(lane.offer(2));
    CHECK(lane.position() == 2);
  }
  SECTION("with a record behind it, when the ones before are gone") {
    Lane lane(0, 5);
    CHECK(lane.offer(3));
    CHECK_FALSE(lane.offer(9));
    CHECK_FALSE(lane.ended());
    lane.handed_out(3, true);
    CHECK(lane.ended());
    CHECK(lane.position() == 9);
  }
  SECTION("with the end of the partition, when markers stand there") {
    Lane lane(0, 3);
    lane.offer(1);
    lane.handed_out(1, true);
    CHECK_FALSE(lane.ended());
    lane.reached(3);
    CHECK(lane.ended());
  }
  SECTION("at once when there is nothing to read") {
    CHECK(Lane(7, 7).ended());
    CHECK(Lane(7, 0).ended());
  }
}

TEST_CASE("what was fetched and not handed out is offered again after a rewind", "[kafka]") {
  Lane lane(0);
  lane.offer(0);
  lane.offer(1);
  lane.handed_out(0, false);
  lane.rewind();
  CHECK(lane.next() == 1);
  CHECK(lane.offer(1));
}

TEST_CASE("a jump moves both ends and shortens a bounded lane", "[kafka]") {
  Lane lane(100, 200);
  lane.jump(0, 10);
  CHECK(lane.position() == 0);
  CHECK(lane.offer(9));
  lane.handed_out(9, true);
  CHECK(lane.ended());
}

TEST_CASE("an answer from before the last question does not end a partition", "[kafka]") {
  Lane lane(10);
  lane.grows_to(15);
  lane.offer(10);
  lane.handed_out(10, true);
  lane.reached(11);
  CHECK_FALSE(lane.caught_up());
  CHECK(lane.position() == 11);
  for (std::int64_t offset = 11; offset < 15; ++offset) lane.offer(offset);
  lane.handed_out(14, true);
  lane.reached(15);
  CHECK(lane.caught_up());
  // Aborted records at the end may leave less to read than was said.
  lane.grows_to(14);
  lane.reached(15);
  CHECK(lane.caught_up());
}
