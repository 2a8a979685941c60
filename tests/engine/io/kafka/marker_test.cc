// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/marker.h"

#include "tests/support/catch.h"

using namespace streamd::kafka;

TEST_CASE("a marker gives its epoch back", "[kafka]") {
  CHECK(format_marker(42) == "streamd:1:42");
  CHECK(parse_marker(format_marker(42)) == std::uint64_t{42});
  CHECK(parse_marker(format_marker(UINT64_MAX)) == UINT64_MAX);
}

TEST_CASE("foreign metadata is no marker", "[kafka]") {
  for (const char* text :
       {"", "streamd", "streamd:1:", "streamd:1:x", "streamd:2:5", "streamd:1:-5", "streamd:1:5 ",
        "streamd:1:5:a", "streamd:1:99999999999999999999999", "STREAMD:1:5"}) {
    INFO(text);
    CHECK_FALSE(parse_marker(text));
  }
}

TEST_CASE("each state directory has a group and a transactional id of its own", "[kafka]") {
  CHECK(marker_group("nginx", "9f3a") == "streamd-epoch-nginx-9f3a");
  CHECK(transactional_id("nginx", "9f3a") == "streamd-nginx-9f3a");
}
