// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/pace.h"

#include "tests/engine/runtime/stepped.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <thread>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr EventTime second(int n) { return EventTime{n * 1'000'000LL}; }
constexpr Duration millis(int n) { return Duration::from_millis(n); }

Pace after(std::initializer_list<int> seconds) {
  Pace pace;
  for (const int s : seconds) pace.read(second(s));
  return pace;
}

}  // namespace

TEST_CASE("a worker is ahead when all of its last batches are", "[runtime]") {
  CHECK_FALSE(Pace().must_wait(second(0), millis(1)));
  CHECK_FALSE(after({10, 11, 12}).must_wait(second(9), millis(1)));
  CHECK(after({10, 11, 12, 13}).must_wait(second(9), millis(1)));
  CHECK_FALSE(after({10, 11, 12, 13}).must_wait(second(10), millis(1)));
  CHECK_FALSE(after({10, 11, 5, 13}).must_wait(second(9), millis(1)));
  CHECK(after({1, 10, 11, 12, 13}).must_wait(second(9), millis(1)));
}

TEST_CASE("nobody is waited for who has no backlog", "[runtime]") {
  CHECK_FALSE(after({10, 11, 12, 13}).must_wait(EventTime::max(), millis(1)));
}

TEST_CASE("who stands still is waited for once, and not for long", "[runtime]") {
  Pace pace = after({10, 11, 12, 13});
  CHECK(pace.must_wait(second(1), millis(500)));
  CHECK(pace.must_wait(second(1), millis(599)));
  CHECK_FALSE(pace.must_wait(second(1), millis(600)));
  pace.read(second(14));
  CHECK_FALSE(pace.must_wait(second(1), millis(700)));
  CHECK(pace.must_wait(second(2), millis(800)));
  CHECK(pace.must_wait(second(3), millis(899)));
  CHECK_FALSE(pace.must_wait(second(3), millis(900)));
}

TEST_CASE("a wait begins anew when the other was there in between", "[runtime]") {
  Pace pace = after({10, 11, 12, 13});
  CHECK(pace.must_wait(second(1), millis(500)));
  CHECK_FALSE(pace.must_wait(second(20), millis(550)));
  CHECK(pace.must_wait(second(2), millis(600)));
  CHECK(pace.must_wait(second(2), millis(699)));
}

TEST_CASE("of two workers with a backlog none goes far ahead", "[runtime]") {
  constexpr std::size_t kRecords = 2100, kBatch = 7, kLead = Pace::kBatches * kBatch;
  Surroundings with;
  with.input->batch = kBatch;
  with.input->partitions.resize(2);
  for (auto& partition : with.input->partitions)
    for (std::size_t i = 0; i < kRecords; ++i)
      partition.push_back(fmt::format(R"({{"t":"{}"}})", 100 + i));
  // The second worker reads only when the first has gone as far as it may, which begins when the
  // second has shown where it is.
  std::array<std::atomic<std::size_t>, 2> at{};
  std::size_t lead = 0;
  const auto wait_for = [&](std::size_t partition, std::size_t first) {
    while (at[partition] < std::min(first, kRecords - kBatch)) std::this_thread::yield();
  };
  with.input->on_pull = [&](std::size_t partition, std::size_t first) {
    at[partition] = first;
    if (partition == 0 && first == 0) wait_for(1, kBatch);
    if (partition == 1 && first > 0) wait_for(0, first - kBatch + kLead);
    if (partition == 0 && first > at[1]) lead = std::max(lead, first - at[1]);
  };
  const Plan plan = with.plan_for(R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix, max_delay: 1s}}
operators:
  count: {type: window, input: in, window: {tumbling: 10s}, compute: {n: count()}}
sinks:
  out: {type: fake, input: count}
  dead: {type: fake_dead}
)");
  const auto result = run_pipeline(plan, with.options_for(2));
  REQUIRE(result.has_value());
  CHECK(with.input->read == 2 * kRecords);
  CHECK(lead >= kLead - kBatch);
  CHECK(lead <= kLead);
}
