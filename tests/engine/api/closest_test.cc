// SPDX-License-Identifier: Apache-2.0
#include "engine/api/diagnostics.h"
#include "tests/support/catch.h"

using namespace streamd;

TEST_CASE("the closest name is found through typical slips") {
  const std::vector<std::string> known = {"within", "by", "brokers", "max_record", "where"};
  CHECK(closest("withing", known) == "within");
  CHECK(closest("wihtin", known) == "within");
  CHECK(closest("Brokers", known) == "brokers");
  CHECK(closest("broker", known) == "brokers");
  CHECK(closest("max_record_size", known) == "max_record");
  CHECK(closest("yb", known) == "by");
}

TEST_CASE("nothing is suggested when nothing is close") {
  const std::vector<std::string> known = {"within", "by"};
  CHECK(closest("topic", known).empty());
  CHECK(closest("", known).empty());
  CHECK(closest("x", {}).empty());
  CHECK(closest(std::string(100'000, 'w'), known).empty());
}
