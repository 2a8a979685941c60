// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/asker.h"

#include "engine/io/http/pace.h"
#include "tests/support/catch.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace streamd;
using namespace streamd::http;

namespace {

Duration ms(std::int64_t n) { return Duration::from_millis(n); }

// Goes on a little whenever somebody looks.
class LivelyClock final : public Clock {
 public:
  EventTime wall() const override { return {monotonic().micros}; }
  Duration monotonic() const override { return {now_ += 50'000}; }

 private:
  mutable std::atomic<std::int64_t> now_{0};
};

Asked good() { return {}; }
Asked bad(Retry retry = Retry::backoff) {
  return {Error{ErrorKind::external, retry, "broken", "mend it"}, {}};
}

// Lets threads meet; gives up after a minute.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool open = false;
  void enter() {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::minutes(1), [&] { return open; });
  }
  bool wait_for_inside(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::minutes(1), [&] { return inside >= count; });
  }
  void release() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
};

}  // namespace

TEST_CASE("a pace without a number holds nothing back", "[http]") {
  Pace pace(0);
  for (int i = 0; i < 100; ++i) pace.begun(ms(5));
  CHECK(pace.wait(ms(5)) == Duration{});
}

TEST_CASE("things begin one gap after the other", "[http]") {
  Pace pace(10);
  CHECK(pace.wait(ms(1000)) == Duration{});
  pace.begun(ms(1000));
  CHECK(pace.wait(ms(1000)) == ms(100));
  CHECK(pace.wait(ms(1099)) == ms(1));
  CHECK(pace.wait(ms(1100)) == Duration{});
  pace.begun(ms(5000));
  CHECK(pace.wait(ms(5000)) == ms(100));
  Pace slow(0.5);
  slow.begun(ms(0));
  CHECK(slow.wait(ms(0)) == ms(2000));
}

TEST_CASE("a pace faster than threads wake is kept on the whole", "[http]") {
  Pace pace(1000);
  int begun = 0;
  for (Duration now{}; now < ms(1000); now = now + ms(7))
    while (pace.wait(now) == Duration{}) {
      pace.begun(now);
      ++begun;
    }
  CHECK(begun > 970);
  CHECK(begun <= 1021);
}

TEST_CASE("questions begin no faster than the pace allows", "[http]") {
  LivelyClock clock;
  AskerOptions options;
  options.per_second = 10;
  Asker asker(options, clock, nullptr, 1);
  std::vector<std::string> why;
  std::atomic<int> asked = 0;
  const Duration before = clock.monotonic();
  REQUIRE(asker.ask(
      10,
      [&](std::size_t, const std::stop_token&) {
        ++asked;
        return good();
      },
      {}, why));
  CHECK(asked == 10);
  CHECK(clock.monotonic() - before >= ms(900));
}

TEST_CASE("several callers share the threads, and each gets its own answers", "[http]") {
  ManualClock clock;
  AskerOptions options;
  options.concurrency = 2;
  Asker asker(options, clock, nullptr, 1);
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::thread> callers;
  std::atomic<std::uint64_t> wrong = 0;
  for (std::size_t caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (std::size_t round = 0; round < 50; ++round) {
        std::vector<std::size_t> got(caller + 1, 0);
        std::vector<std::string> why;
        const auto status = asker.ask(
            got.size(),
            [&](std::size_t n, const std::stop_token&) {
              const int now = ++inside;
              for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
              }
              got[n] = 10 * caller + n + 1;
              --inside;
              return good();
            },
            {}, why);
        if (!status) ++wrong;
        for (std::size_t n = 0; n < got.size(); ++n)
          if (got[n] != 10 * caller + n + 1 || !why[n].empty()) ++wrong;
      }
    });
  for (auto& caller : callers) caller.join();
  CHECK(wrong == 0);
  CHECK(most <= 2);
}

TEST_CASE("after a back-off one question goes out, and the others wait for what becomes of it",
          "[http]") {
  for (const bool heals : {true, false}) {
    ManualClock clock;
    AskerOptions options;
    options.concurrency = 4;
    Asker asker(options, clock, nullptr, 1);
    std::vector<std::string> why;
    REQUIRE(asker.ask(
        1, [](std::size_t, const std::stop_token&) { return bad(); }, {}, why));
    CHECK(why[0] == "broken");
    clock.advance(Duration::from_seconds(2));
    Gate gate;
    std::atomic<int> asked = 0;
    std::thread caller([&] {
      (void)asker.ask(
          4,
          [&](std::size_t, const std::stop_token&) {
            if (++asked == 1) gate.enter();
            return heals ? good() : bad();
          },
          {}, why);
    });
    REQUIRE(gate.wait_for_inside(1));
    CHECK(asked == 1);
    gate.release();
    caller.join();
    CHECK(asked == (heals ? 4 : 1));
    for (const auto& reason : why) CHECK(reason == (heals ? "" : "broken"));
  }
}

TEST_CASE("what began before a failure does not heal it", "[http]") {
  ManualClock clock;
  AskerOptions options;
  options.concurrency = 2;
  Asker asker(options, clock, nullptr, 1);
  Gate late;
  std::vector<std::string> why, why_late;
  std::thread caller([&] {
    (void)asker.ask(
        1,
        [&](std::size_t, const std::stop_token&) {
          late.enter();
          return good();
        },
        {}, why_late);
  });
  REQUIRE(late.wait_for_inside(1));
  REQUIRE(asker.ask(
      2, [](std::size_t, const std::stop_token&) { return bad(); }, {}, why));
  late.release();
  caller.join();
  CHECK(why_late[0].empty());
  std::atomic<int> asked = 0;
  REQUIRE(asker.ask(
      1,
      [&](std::size_t, const std::stop_token&) {
        ++asked;
        return good();
      },
      {}, why));
  CHECK(asked == 0);
  CHECK(why[0] == "broken");
}

TEST_CASE("who waits for the pace is woken by a stop", "[http]") {
  ManualClock clock;
  AskerOptions options;
  options.per_second = 0.001;
  Asker asker(options, clock, nullptr, 1);
  std::stop_source stop;
  std::vector<std::string> why;
  std::atomic<int> asked = 0;
  REQUIRE(asker.ask(
      3,
      [&](std::size_t, const std::stop_token&) {
        ++asked;
        stop.request_stop();
        return good();
      },
      stop.get_token(), why));
  CHECK(asked == 1);
  CHECK(why[0].empty());
  CHECK(why[1] == "stopped");
  CHECK(why[2] == "stopped");
}

TEST_CASE("nothing to ask is answered at once", "[http]") {
  ManualClock clock;
  Asker asker({}, clock, nullptr, 1);
  std::vector<std::string> why{"x"};
  REQUIRE(asker.ask(0, nullptr, {}, why));
  CHECK(why.empty());
}
