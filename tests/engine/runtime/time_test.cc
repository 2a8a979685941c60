// SPDX-License-Identifier: Apache-2.0
// Idle partitions, the wall clock's takeover, clocks that are ahead.
#include "engine/runtime/run.h"
#include "operators/builtin_operators.h"
#include "tests/engine/runtime/stepped.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <fmt/format.h>

#include <thread>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr const char* kTumbling = R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix, max_delay: 1s, idle_after: 5s, max_future: 1h}}
operators:
  count: {type: window, input: in, window: {tumbling: 10s}, compute: {n: count()}}
sinks:
  out: {type: fake, input: count}
  dead: {type: fake_dead}
)";

struct Live : Surroundings {
  std::string pipeline = kTumbling;
  std::stop_source stop;
  std::optional<Result<Progress>> result;

  // Runs until `until` holds, calling `step` in between; then stops. Fails after 20000 looks.
  template <class Step, class Until>
  void run(unsigned workers, Step step, Until until) {
    const Plan plan = plan_for(pipeline);
    RunOptions options = options_for(workers);
    options.stop = stop.get_token();
    options.progress_every = Duration{};
    int looks = 0;
    options.on_progress = [&](const Progress&) {
      step();
      if (until() || ++looks == 2000) stop.request_stop();
    };
    result = run_pipeline(plan, options);
    REQUIRE(result->has_value());
    CHECK(looks < 2000);
  }
  std::size_t rows() { return out->sorted().size(); }
};

std::string at(int seconds) { return fmt::format(R"({{"t":"{}"}})", seconds); }

}  // namespace

TEST_CASE("when everything is idle the wall clock closes the last window", "[runtime]") {
  for (const unsigned workers : {1u, 2u}) {
    Live live;
    live.input->endless = true;
    live.input->partitions = {{at(100), at(101)}};
    live.run(
        workers, [&] { live.clock.advance(Duration::from_seconds(1)); },
        [&] { return live.rows() == 1; });
    CHECK(live.out->sorted()[0].find(R"("n":2)") != std::string::npos);
  }
}

TEST_CASE("an idle partition stops holding back the others", "[runtime]") {
  Live live;
  live.input->endless = true;
  live.input->partitions = {{at(100)}, {}};
  for (int t = 100; t < 200; ++t) live.input->partitions[1].push_back(at(t));
  live.input->allowed = 1;
  int step = 0;
  live.run(
      1,
      [&] {
        // The second partition goes on while the first has nothing more to say.
        if (++step > 20) live.input->allowed = 100;
        if (step > 40) live.clock.advance(Duration::from_millis(100));
      },
      [&] { return live.rows() >= 8; });
  CHECK(live.rows() >= 8);
}

TEST_CASE("a partition with nothing new at a restart holds back the others until it is idle",
          "[runtime]") {
  for (const unsigned workers : {1u, 2u}) {
    Live live;
    live.input->endless = true;
    live.input->partitions = {{at(100)}, {at(100)}};
    live.run(
        workers, [] {}, [&] { return live.input->read == 2; });

    for (int t = 101; t < 200; ++t) live.input->partitions[1].push_back(at(t));
    live.stop = std::stop_source();
    int looks = 0;
    std::size_t early = 1;
    live.run(
        workers,
        [&] {
          if (live.input->read < 101 || ++looks < 50) return;
          if (looks == 50) early = live.rows();
          live.clock.advance(Duration::from_millis(100));
        },
        [&] { return live.rows() >= 8; });
    CHECK(early == 0);
    CHECK(live.rows() >= 8);
  }
}

TEST_CASE("without time passing an empty pause closes nothing", "[runtime]") {
  Live live;
  live.input->endless = true;
  live.input->partitions = {{at(100), at(115)}};
  int step = 0;
  live.run(
      1, [&] { ++step; }, [&] { return step > 30; });
  CHECK(live.rows() == 1);  // 100..110, closed by the record at 115
}

TEST_CASE("event time goes on by itself only as far as it is confirmed that nothing came",
          "[runtime]") {
  for (const unsigned workers : {1u, 2u}) {
    Live live;
    live.input->endless = true;
    live.input->partitions = {{at(100), at(101)}, {at(101)}};
    int step = 0;
    live.run(
        workers,
        [&] {
          // Idle after 5 s; 9 s more would close the window if somebody confirmed them.
          ++step;
          if (step == 60) live.input->hung = true;
          if (step == 100) CHECK(live.rows() == 0);
          if (step == 100) live.input->hung = false;
          if (step > 40) live.clock.advance(Duration::from_millis(500));
        },
        [&] { return live.rows() == 1; });
    CHECK(step > 100);
    CHECK(live.out->sorted()[0].find(R"("n":3)") != std::string::npos);
  }
}

TEST_CASE("a partition of which nobody knows whether more comes is not idle", "[runtime]") {
  Live live;
  live.input->endless = true;
  live.input->partitions = {{at(100)}, {}};
  for (int t = 100; t < 200; ++t) live.input->partitions[1].push_back(at(t));
  live.input->allowed = 1;
  int step = 0;
  SECTION("since it was confirmed last") {}
  SECTION("from the beginning") { live.input->hung = true; }
  live.run(
      1,
      [&] {
        ++step;
        if (step == 20) live.input->hung = true;
        if (step > 20) live.input->allowed = 100;
        if (step > 40) live.clock.advance(Duration::from_millis(500));
        if (step == 80) CHECK(live.rows() == 0);
        if (step == 80) live.input->hung = false;
      },
      [&] { return live.rows() >= 8; });
  CHECK(step > 80);
  CHECK(live.rows() >= 8);
}

TEST_CASE("a clock that is ahead is clamped and counted, and the others are not late",
          "[runtime]") {
  Live live;
  live.input->endless = true;
  const int now = 1'000'000;
  live.input->partitions = {{at(now), at(now + 90'000), at(now + 1), at(now + 3601), at(now)}};
  int step = 0;
  live.run(
      1, [&] { ++step; }, [&] { return step > 30 && live.input->read == 5; });
  const auto& source = (**live.result).nodes[0];
  CHECK(source.clamped == 2);
  CHECK(source.newest == (now + 1) * std::int64_t{1'000'000});
  const auto& window = (**live.result).nodes[1];
  CHECK(window.dropped[static_cast<std::size_t>(DropReason::late)] == 0);
}

TEST_CASE("of many hosts that send syslog, one whose clock is an hour ahead makes nobody late",
          "[runtime]") {
  Live live;
  const auto at = live.pipeline.find("time: {"), end = live.pipeline.find("}", at);
  live.pipeline.replace(at, end + 1 - at, "decode: syslog");
  live.input->endless = true;
  // The clock stands at 13:46:40.
  const auto said = [](const char* time, const char* host) {
    return fmt::format("<13>1 1970-01-12T{}Z {} app - - - x", time, host);
  };
  live.input->partitions = {{said("13:46:40", "right"), said("14:46:30", "ahead"),
                             said("13:46:41", "right"), said("13:46:46", "a bit ahead"),
                             said("13:46:36", "right")}};
  int step = 0;
  live.run(
      1, [&] { ++step; }, [&] { return step > 30 && live.input->read == 5; });
  CHECK((**live.result).nodes[0].clamped == 2);
  CHECK((**live.result).nodes[1].dropped[static_cast<std::size_t>(DropReason::late)] == 0);
}

TEST_CASE("a clock that is ahead moves event time to now and no further when all are silent",
          "[runtime]") {
  constexpr int now = 1'000'000;
  struct Case {
    bool right_first;  // the clock that is right has spoken before all fell silent
    bool restart;
  };
  for (const auto [right_first, restart] :
       {Case{true, false}, Case{true, true}, Case{false, false}})
    for (const unsigned workers : {1u, 2u}) {
      CAPTURE(right_first, restart, workers);
      Live live;
      live.input->endless = true;
      live.input->allowed = 1;
      const std::string first = right_first ? at(now) : "{}";  // without a time: a dead letter
      live.input->partitions = {{at(now + 90'000)}, {first, at(now + 8), at(now + 9)}};
      if (restart) {
        live.run(
            workers, [] {}, [&] { return live.input->read == 2; });
        live.stop = std::stop_source();
      }
      int silent = 0, spoken = 0;
      live.run(
          workers,
          [&] {
            // 6.6 s of silence, of which 5 s make idle; then the right clock goes on.
            if (live.input->read < 2) return;
            ++silent;
            if (silent > 30 && silent <= 52) live.clock.advance(Duration::from_millis(300));
            if (silent >= 90) live.input->allowed = 3;
            if (live.input->read == 4) ++spoken;
            if (spoken > 30) live.clock.advance(Duration::from_millis(500));
          },
          [&] { return live.rows() >= 1; });
      const auto& nodes = (**live.result).nodes;
      CHECK(nodes[1].dropped[static_cast<std::size_t>(DropReason::late)] == 0);
      REQUIRE(live.rows() == 1);
      const std::string n = right_first ? R"("n":3)" : R"("n":2)";
      CHECK(live.out->sorted()[0].find(n) != std::string::npos);
    }
}

namespace {

// Records pass from worker to worker twice before they are counted: by a, then by b.
constexpr const char* kTwice = R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix, max_delay: 1s, idle_after: 5s}}
operators:
  once: {type: dedupe, input: in, by: [a], within: 1d}
  count: {type: window, input: once, window: {tumbling: 10s}, by: [b], compute: {n: count()}}
sinks:
  out: {type: fake, input: count}
  dead: {type: fake_dead}
)";

std::uint64_t late(const SteppedRun& run) {
  std::uint64_t sum = 0;
  for (const auto& node : run.progress().nodes)
    sum += node.dropped[static_cast<std::size_t>(DropReason::late)];
  return sum;
}

std::vector<std::string> hundred(int from) {
  std::vector<std::string> records;
  for (int n = 0; n < 100; ++n)
    records.push_back(
        fmt::format(R"({{"t":"{}","a":"{}-{}","b":"{}"}})", 1000 + 10 * n, from, n, n % 10));
  return records;
}

}  // namespace

TEST_CASE("records of a source that was silent till now are not late where they come last",
          "[runtime]") {
  for (const unsigned slow : {0u, 1u}) {
    INFO("worker " << slow << " is slow");
    Stepped stepped(kTwice);
    stepped.input->partitions.resize(2 - slow);  // read by the other one
    stepped.input->allowed = 0;
    stepped.input->partitions.back() = hundred(0);
    stepped.input->batch = 100;
    stepped.open(2);
    stepped.pass(Duration::from_seconds(10));  // idle from here on

    stepped.input->allowed = 100;
    for (int turns = 0; turns < 5; ++turns) stepped.run->turn(1 - slow);
    REQUIRE(stepped.run->settle().has_value());
    stepped.pass(Duration::from_seconds(60));
    stepped.pass(Duration::from_seconds(60));
    CHECK(stepped.input->read == 100);
    CHECK(stepped.out->sorted().size() == 100);
    CHECK(late(*stepped.run) == 0);
  }
}

TEST_CASE("a partition that has had no record yet is waited for as long as one that has",
          "[runtime]") {
  for (const unsigned workers : {1u, 2u}) {
    INFO(workers << " workers");
    Stepped stepped(kTwice);
    stepped.input->partitions = {hundred(0), {}};
    stepped.input->batch = 100;
    stepped.open(workers);
    stepped.pass(Duration::from_millis(4900));
    CHECK(stepped.out->sorted().empty());
    stepped.input->partitions[1] = hundred(1);
    stepped.pass(Duration::from_millis(1));
    stepped.pass(Duration::from_seconds(60));
    CHECK(stepped.input->read == 200);
    CHECK(late(*stepped.run) == 0);

    Stepped other(kTwice);
    other.input->partitions = {hundred(0), {}};
    other.input->batch = 100;
    other.open(workers);
    other.pass(Duration::from_millis(4999));
    CHECK(other.out->sorted().empty());
    other.input->partitions[0].push_back(R"({"t":"2001","a":"x","b":"x"})");
    other.pass(Duration::from_millis(1));
    CHECK(other.out->sorted().size() == 100);
  }
}

TEST_CASE("thousands of partitions are not listed anew for each that has its first record",
          "[runtime]") {
  constexpr std::size_t kMany = 10'000;
  Stepped stepped(kTumbling);
  const bool endless = GENERATE(true, false);
  stepped.input->endless = endless;
  stepped.input->partitions.assign(kMany, {at(100)});
  stepped.open();
  CHECK(stepped.input->read == kMany);
  CHECK(stepped.input->listed < 20);
  // They hold back the window until they are silent or have ended.
  CHECK(stepped.out->sorted().size() == (endless ? 0 : 1));
  stepped.pass(Duration::from_seconds(5));
  stepped.pass(Duration::from_seconds(60));
  REQUIRE(stepped.out->sorted().size() == 1);
  CHECK(stepped.out->sorted()[0].find(R"("n":10000)") != std::string::npos);
  REQUIRE(stepped.run->checkpoint().has_value());
}

TEST_CASE("a pull that finds nothing once more is no reason to list partitions", "[runtime]") {
  Stepped stepped(kTumbling);
  stepped.input->partitions = {{at(100)}, {}};
  stepped.open();
  stepped.input->hung = true;
  const auto before = stepped.input->listed.load();
  for (int i = 0; i < 100; ++i) stepped.run->turn(0);
  CHECK(stepped.input->listed <= before + 1);
  stepped.input->hung = false;
  stepped.pass(Duration::from_seconds(5));
  stepped.pass(Duration::from_seconds(60));
  CHECK(stepped.out->sorted().size() == 1);
}

TEST_CASE("a bounded input is known to its last watermark before it ends", "[runtime]") {
  for (const unsigned workers : {1u, 2u, 3u}) {
    Live live;
    live.pipeline = R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix, max_delay: 1s}}
operators:
  quiet: {type: absent, input: in, by: [host], for: 10s}
sinks:
  out: {type: fake, input: quiet}
  dead: {type: fake_dead}
)";
    const auto of = [](const char* host, int t) {
      return fmt::format(R"({{"t":"{}","host":"{}"}})", t, host);
    };
    // The watermark ends at 59: that "edge" said nothing until 59 was still to be seen.
    live.input->partitions = {{of("long", 1), of("between", 1)},
                              {of("short", 50), of("between", 60), of("edge", 49)}};
    live.run(
        workers, [] {}, [] { return false; });
    REQUIRE(live.out->sorted().size() == 2);
    CHECK(live.out->sorted()[0].find(R"("host":"between")") != std::string::npos);
    CHECK(live.out->sorted()[1].find(R"("host":"long")") != std::string::npos);
  }
}
