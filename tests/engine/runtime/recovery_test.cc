// SPDX-License-Identifier: Apache-2.0
// A pipeline gives the same answers straight, killed again and again, and with other workers.
#include "engine/runtime/run.h"
#include "operators/builtin_operators.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <fmt/format.h>

#include <random>
#include <string>
#include <thread>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr const char* kWindows = R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix, max_delay: 3s}}
operators:
  typed: {type: convert, input: in, fields: {status: int, took: double}}
  busy:
    type: window
    input: typed
    window: {sliding: 20s, every: 1s}
    by: [client]
    compute: {n: count(), slowest: max(took)}
    having: n > 4
  minute:
    type: window
    input: typed
    where: status < 500
    window: {tumbling: 10s}
    by: [host, status]
    compute: {n: count(), mean: avg(took), clients: distinct(client)}
  visits:
    type: window
    input: typed
    window: {session: {gap: 4s, max: MAX}}
    by: [client]
    compute: {n: count(), worst: max(status)}
  total:
    type: window
    input: minute
    window: {tumbling: 1m}
    compute: {rows: count(), n: sum(n)}
sinks:
  out: {type: fake, input: [busy, minute, visits, total]}
  dead: {type: fake_dead}
)";

std::shared_ptr<FakeInput> make_input(unsigned seed, std::size_t partitions, std::size_t each) {
  std::mt19937 random(seed);
  auto input = std::make_shared<FakeInput>();
  input->partitions.resize(partitions);
  for (auto& partition : input->partitions)
    for (std::size_t i = 0; i < each; ++i)
      partition.push_back(fmt::format(
          R"({{"t":"{}.{:03}","client":"c{}","host":"h{}","status":"{}","took":"0.{:02}"}})",
          1000 + i / 10 - random() % 3, random() % 1000, random() % 12, random() % 3,
          200 + 100 * (random() % 4), random() % 100));
  return input;
}

// A session that reaches `max` is cut where the order of arrival says, which several partitions do
// not fix: `max` is short only where there is one.
std::string windows(std::size_t partitions) {
  std::string yaml = kWindows;
  yaml.replace(yaml.find("MAX"), 3, partitions == 1 ? "30s" : "10m");
  return yaml;
}

struct Outcome {
  std::vector<std::string> lines;
  std::size_t runs = 0;
};

// next_workers(run) gives the number of workers; kill: abandon at a random moment, then go on.
template <class Workers>
Outcome run_all(std::shared_ptr<FakeInput> input, Workers next_workers, bool kill, unsigned seed) {
  const auto out = std::make_shared<FakeOutput>(), dead = std::make_shared<FakeOutput>();
  Registry registry;
  add_builtin_operators(registry);
  add_fake_source(registry, input);
  add_fake_sink(registry, "fake", out);
  add_fake_sink(registry, "fake_dead", dead);
  const Plan plan = plan_of(windows(input->partitions.size()), registry);
  std::mt19937 random(seed);
  const SystemClock clock;
  const Disk disk;
  Log log;
  Outcome outcome;
  for (;;) {
    RunOptions options;
    options.clock = &clock;
    options.log = log.fn();
    options.backend = disk.opener();
    options.checkpoint_every = Duration{};
    options.workers = next_workers(outcome.runs);
    std::stop_source abandon;
    options.abandon = abandon.get_token();
    const std::size_t until = input->read + 100 + random() % 900;
    const bool last = !kill || outcome.runs > 25;
    std::jthread killer([&](std::stop_token done) {
      while (!last && !done.stop_requested() && input->read < until) std::this_thread::yield();
      if (!last && !done.stop_requested()) abandon.request_stop();
    });
    const auto result = run_pipeline(plan, options);
    killer.request_stop();
    killer.join();
    REQUIRE(result);
    ++outcome.runs;
    if (abandon.stop_requested()) continue;
    for (const auto& node : result->nodes) CHECK(node.balanced());
    break;
  }
  CHECK(dead->lines.empty());
  outcome.lines = out->sorted();
  return outcome;
}

}  // namespace

TEST_CASE("killed runs and other numbers of workers give the same answers", "[runtime]") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    INFO("seed " << seed);
    const auto straight = run_all(
        make_input(seed, 1, 3000), [](auto) { return 1u; }, false, seed);
    REQUIRE(straight.lines.size() > 500);
    const auto killed = run_all(
        make_input(seed, 1, 3000), [](auto) { return 1u; }, true, seed);
    CHECK(killed.runs > 2);
    CHECK(killed.lines == straight.lines);
    const auto three = run_all(
        make_input(seed, 1, 3000), [](auto) { return 3u; }, false, seed);
    CHECK(three.lines == straight.lines);
    const auto mixed = run_all(
        make_input(seed, 1, 3000), [](auto run) { return 1u + static_cast<unsigned>(run) % 3; },
        true, seed);
    CHECK(mixed.runs > 2);
    CHECK(mixed.lines == straight.lines);
  }
}

TEST_CASE("several partitions on several workers give the same answers however they interleave",
          "[runtime]") {
  for (const unsigned seed : {11u, 12u}) {
    INFO("seed " << seed);
    const auto straight = run_all(
        make_input(seed, 5, 800), [](auto) { return 1u; }, false, seed);
    const auto two = run_all(
        make_input(seed, 5, 800), [](auto) { return 2u; }, false, seed);
    CHECK(two.lines == straight.lines);
    const auto mixed = run_all(
        make_input(seed, 5, 800), [](auto run) { return 1u + static_cast<unsigned>(run) % 4; },
        true, seed);
    CHECK(mixed.lines == straight.lines);
  }
}
