// SPDX-License-Identifier: Apache-2.0
// A plan that runs on the caller's thread, whose clock only the test moves.
#include "engine/runtime/stepped_run.h"

#include "tests/engine/runtime/stepped.h"

#include <fmt/format.h>

using namespace streamd;
using namespace streamd::test;

namespace {

std::string counting(const std::string& rest = "") {
  return fmt::format(R"(
pipeline: test
dead_letters: dead
sources:
  in: {{type: fake, time: {{field: t, format: unix, idle_after: 5s}}}}
operators:
  count: {{type: window, input: in, window: {{tumbling: 10s}}, compute: {{n: count()}}{}}}
sinks:
  out: {{type: fake, input: count}}
  dead: {{type: fake_dead}}
)",
                     rest);
}

std::string at(int seconds) { return fmt::format(R"({{"t":"{}"}})", seconds); }

}  // namespace

TEST_CASE("settling processes all there is, and event time goes no further than the clock",
          "[runtime]") {
  Stepped stepped(counting());
  stepped.input->partitions = {{at(101), at(109)}};
  stepped.open();
  CHECK(stepped.run->progress().nodes[0].in == 2);
  stepped.pass(Duration::from_seconds(5));  // idle from here on
  CHECK(stepped.out->sorted().empty());
  stepped.pass(Duration::from_millis(999));
  CHECK(stepped.out->sorted().empty());
  stepped.pass(Duration::from_millis(1));
  REQUIRE(stepped.out->sorted().size() == 1);
  CHECK(stepped.out->sorted()[0].find(R"("n":2)") != std::string::npos);
}

TEST_CASE("what was not committed is gone with the object and comes again", "[runtime]") {
  Stepped stepped(counting());
  stepped.input->partitions = {{at(101), at(102), at(103), at(110), at(111)}};
  stepped.input->allowed = 2;
  stepped.open();
  REQUIRE(stepped.run->checkpoint().has_value());
  CHECK(stepped.run->progress().epoch == 1);
  stepped.input->allowed = 5;
  REQUIRE(stepped.run->settle().has_value());
  REQUIRE(stepped.out->sorted().size() == 1);  // of the window that the fourth has closed
  stepped.run.reset();
  stepped.input->read = 0;
  stepped.open();
  CHECK(stepped.input->read == 3);
  REQUIRE(stepped.out->sorted().size() == 1);
  CHECK(stepped.out->sorted()[0].find(R"("n":3)") != std::string::npos);
}

TEST_CASE("a restart tells how many keys it has restored", "[runtime]") {
  Stepped stepped(counting(", by: [k]"));
  auto& records = stepped.input->partitions.emplace_back();
  for (const char* key : {"a", "b", "c", "a"})
    records.push_back(fmt::format(R"({{"t":"101","k":"{}"}})", key));
  stepped.open();
  REQUIRE(stepped.run->checkpoint().has_value());
  stepped.run.reset();
  const auto workers = GENERATE(1u, 2u);
  stepped.open(workers);
  CHECK(stepped.log.count("restored epoch 1: 3 keys, positions of 1 partitions") == 1);
}

TEST_CASE("a sink that fails for now is tried again at once", "[runtime]") {
  Stepped stepped(counting());
  stepped.out->failures = 5;
  stepped.input->partitions = {{at(101), at(110)}};
  stepped.open();
  CHECK(stepped.out->sorted().size() == 1);
  CHECK(stepped.log.count("the far side is away; trying again") == 1);
  CHECK(stepped.log.count("healed") == 1);
  REQUIRE(stepped.run->checkpoint().has_value());
}

TEST_CASE("an error that ends a run ends a stepped one", "[runtime]") {
  Stepped first(counting());
  first.input->partitions = {{at(101)}};
  first.open();
  REQUIRE(first.run->checkpoint().has_value());
  first.run.reset();
  Stepped changed(counting(", by: [k]"));
  changed.disk = first.disk;
  const auto refused = SteppedRun::open(changed.plan, changed.options_for(1));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::state);
  CHECK(refused.error().message.find("its stored state no longer fits") != std::string::npos);
}
