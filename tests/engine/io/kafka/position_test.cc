// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/position.h"

#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::kafka;

TEST_CASE("a position is its version and the next offset", "[kafka]") {
  CHECK(format_position(0) == "1:0");
  CHECK(parse_position(format_position(9'000'000'000'000'000'000)).value() ==
        9'000'000'000'000'000'000);
}

TEST_CASE("text that is no position is refused as damaged state", "[kafka]") {
  for (const char* text : {"", "1", "1:", "2:5", "1:-1", "1:5 ", "1: 5", "1:5:6", "1:0x5",
                           "1:99999999999999999999", "x:5"}) {
    INFO(text);
    const auto offset = parse_position(text);
    REQUIRE_FALSE(offset);
    CHECK(offset.error().kind == ErrorKind::state);
    CHECK(offset.error().retry == Retry::never);
  }
}

TEST_CASE("a partition's name holds topic and number", "[kafka]") {
  CHECK(partition_name("a.b-c", 12) == "a.b-c/12");
  const auto found = parse_partition_name("a.b-c/12");
  REQUIRE(found);
  CHECK(found->topic == "a.b-c");
  CHECK(found->partition == 12);
  for (const char* text : {"", "a", "/1", "a/", "a/-1", "a/x", "a/1x"}) {
    INFO(text);
    CHECK_FALSE(parse_partition_name(text));
  }
}

TEST_CASE("topic names follow Kafka's rules", "[kafka]") {
  CHECK(is_topic_name("nginx-access_1.x"));
  CHECK(is_topic_name(std::string(249, 'a')));
  for (const auto& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                           std::string("a b"), std::string("\xc3\xa4"), std::string("^a.*"),
                           std::string("a\0b", 3), std::string(250, 'a')}) {
    INFO(name);
    CHECK_FALSE(is_topic_name(name));
  }
}
