// SPDX-License-Identifier: Apache-2.0
#include "plugin/call.h"

#include "tests/support/catch.h"

#include <stdexcept>

namespace streamd::test {
namespace {

TEST_CASE("a call into a plugin returns its code or what was thrown", "[plugin]") {
  plugin::CallPlace place{"plugin \"x\""};
  CHECK(plugin::call_plugin(place, "f", 1, [] { return SD_IDLE; }).code == SD_IDLE);
  const auto thrown =
      plugin::call_plugin(place, "f", 1, []() -> sd_code { throw std::logic_error("no"); });
  CHECK(thrown.thrown == "an exception came out: no");
  const auto odd = plugin::call_plugin(place, "f", 1, []() -> sd_code { throw 7; });
  CHECK(odd.thrown == "an exception came out");
}

TEST_CASE("calls that take long are told of, again when the time has doubled, and when they return",
          "[plugin]") {
  ManualClock clock;
  std::vector<std::string> lines;
  plugin::CallWatch watch(
      clock, [&](int, const std::string& line) { lines.push_back(line); },
      Duration::from_seconds(10));
  const auto place = std::make_shared<plugin::CallPlace>();
  place->who = "plugin \"x\", node \"n\"";
  watch.add(place);
  {
    const plugin::Inside inside(*place, "on_batch()", clock.monotonic().micros);
    const auto after = [&](int seconds) {
      clock.advance(Duration::from_seconds(seconds));
      watch.look();
      return lines.size();
    };
    CHECK(after(9) == 0);
    REQUIRE(after(1) == 1);
    CHECK(lines[0] ==
          "plugin \"x\", node \"n\" has not returned from on_batch() for 10 s: the pipeline waits "
          "for it");
    CHECK(after(9) == 1);
    CHECK(after(1) == 2);
    CHECK(after(15) == 2);
  }
  watch.look();
  REQUIRE(lines.size() == 3);
  CHECK(lines[2] == "plugin \"x\", node \"n\" has returned");
  watch.look();
  CHECK(lines.size() == 3);
}

}  // namespace
}  // namespace streamd::test
