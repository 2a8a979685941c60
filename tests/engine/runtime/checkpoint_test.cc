// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/checkpoint.h"

#include "tests/support/catch.h"

#include <thread>

using namespace streamd;

TEST_CASE("the parts of all workers become one", "[runtime]") {
  Checkpoint checkpoint(2);
  checkpoint.start(5, false);
  EpochParts one, two;
  one.partitions["s"]["p/0"] = {"10", {1}};
  two.partitions["s"]["p/1"] = {"20", {2}};
  one.over["s"] = {"p/2"};
  two.over["s"] = {"p/3"};
  two.sinks[{"out", 1}] = "x";
  checkpoint.hand_in(std::move(one));
  CHECK_FALSE(checkpoint.take().has_value());
  checkpoint.hand_in(std::move(two));
  const auto parts = checkpoint.take();
  REQUIRE(parts);
  CHECK(parts->partitions.at("s").size() == 2);
  CHECK(parts->over.at("s") == std::set<std::string>{"p/2", "p/3"});
  CHECK(parts->sinks.size() == 1);
  CHECK_FALSE(checkpoint.take().has_value());
}

TEST_CASE("a source that has no partitions now is still named", "[checkpoint]") {
  Checkpoint checkpoint(1);
  checkpoint.start(1, false);
  EpochParts part;
  part.partitions["in"] = {};
  checkpoint.hand_in(std::move(part));
  const auto merged = checkpoint.take();
  REQUIRE(merged);
  CHECK(merged->partitions.contains("in"));
}

TEST_CASE("a request waits for an epoch that starts after it", "[runtime]") {
  Checkpoint checkpoint(1);
  checkpoint.start(1, false);
  bool good = false;
  std::jthread asker([&] { good = checkpoint.request(Duration::from_seconds(30)); });
  while (!checkpoint.requested()) std::this_thread::yield();
  checkpoint.committed(1);  // was under way already
  CHECK(checkpoint.requested());
  checkpoint.start(2, false);
  checkpoint.committed(2);
  asker.join();
  CHECK(good);
  CHECK_FALSE(checkpoint.requested());
}

TEST_CASE("a failure wakes whoever waits and keeps the first reason", "[runtime]") {
  Checkpoint checkpoint(1);
  bool good = true;
  std::jthread asker([&] { good = checkpoint.request(Duration::from_seconds(30)); });
  while (!checkpoint.requested()) std::this_thread::yield();
  checkpoint.fail({ErrorKind::external, Retry::never, "first", ""});
  checkpoint.fail({ErrorKind::external, Retry::never, "second", ""});
  asker.join();
  CHECK_FALSE(good);
  CHECK(checkpoint.error().message == "first");
}

TEST_CASE("a part that is handed in takes away no news", "[runtime]") {
  Checkpoint checkpoint(2);
  CHECK_FALSE(checkpoint.wait(Duration{}));
  checkpoint.start(1, false);
  checkpoint.notify();
  checkpoint.hand_in({});
  CHECK(checkpoint.wait(Duration{}));
  CHECK_FALSE(checkpoint.wait(Duration{}));
  checkpoint.hand_in({});
  CHECK(checkpoint.wait(Duration{}));
}
