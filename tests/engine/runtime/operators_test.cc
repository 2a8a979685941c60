// SPDX-License-Identifier: Apache-2.0
// Operators that ask something of the engine: keys that are expressions, named outputs, more
// records than came.
#include "engine/runtime/run.h"
#include "operators/builtin_operators.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <stop_token>
#include <thread>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr const char* kClean = R"yaml(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix}}
operators:
  parts: {type: explode, input: in, field: names, as: name}
  unique: {type: dedupe, input: parts, by: ["name.lowerAscii()", host], within: 10m}
  ways: {type: route, input: unique, routes: {even: "int(n) % 2 == 0"}, otherwise: odd}
  closed: {type: map, input: ways.even, keep: [name, host, n]}
sinks:
  even: {type: fake, input: closed}
  odd: {type: fake_all, input: ways.odd}
  dead: {type: fake_dead}
)yaml";

struct Outputs {
  std::shared_ptr<FakeOutput> even = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> odd = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> dead = std::make_shared<FakeOutput>();
};

Plan clean_plan(const std::shared_ptr<FakeInput>& input, const Outputs& outputs) {
  Registry registry;
  add_builtin_operators(registry);
  add_fake_source(registry, input);
  add_fake_sink(registry, "fake", outputs.even);
  add_fake_sink(registry, "fake_all", outputs.odd);
  add_fake_sink(registry, "fake_dead", outputs.dead);
  return plan_of(kClean, registry);
}

// Each name comes twice with the same n, once in capitals.
std::shared_ptr<FakeInput> input_of(std::size_t records) {
  auto input = std::make_shared<FakeInput>();
  input->partitions.resize(3);
  for (std::size_t i = 0; i < records; ++i)
    input->partitions[i % 3].push_back(fmt::format(
        R"({{"t":"{}","n":"{}","host":"h","names":["a{}","A{}"]}})", 1000 + i / 100, i, i, i));
  for (std::size_t i = 0; i < 30; ++i)
    input->partitions[i % 3].push_back(
        fmt::format(R"({{"t":"{}","n":"{}","host":"h","names":[]}})", 1000 + records / 100, i));
  return input;
}

}  // namespace

TEST_CASE("Parts, keys that are expressions and routes work on any number of workers",
          "[runtime]") {
  for (const unsigned workers : {1u, 2u, 3u}) {
    const auto input = input_of(3000);
    const Outputs outputs;
    const Plan plan = clean_plan(input, outputs);
    const SystemClock clock;
    const Disk disk;
    Log log;
    RunOptions options;
    options.clock = &clock;
    options.log = log.fn();
    options.backend = disk.opener();
    options.checkpoint_every = Duration::from_millis(1);
    options.workers = workers;
    const auto result = run_pipeline(plan, options);
    REQUIRE(result);
    CHECK(outputs.even->lines.size() == 1500);
    CHECK(outputs.odd->lines.size() == 1500);
    CHECK(outputs.dead->lines.empty());
    for (const auto& node : result->nodes) {
      INFO(node.name);
      CHECK(node.balanced());
      const auto dropped = [&](DropReason r) { return node.dropped[static_cast<std::size_t>(r)]; };
      if (node.name == "parts") CHECK(dropped(DropReason::filtered) == 30);
      if (node.name == "parts") CHECK(node.out == 6000);
      if (node.name == "unique") CHECK(dropped(DropReason::duplicate) == 3000);
      if (node.name == "ways") CHECK(node.out == 3000);
    }
  }
}

TEST_CASE("Each key passes once however often the process is killed", "[runtime]") {
  const auto input = input_of(6000);
  const Outputs outputs;
  const Plan plan = clean_plan(input, outputs);
  std::mt19937 random(11);
  const SystemClock clock;
  const Disk disk;
  Log log;
  for (std::size_t run = 0;; ++run) {
    RunOptions options;
    options.clock = &clock;
    options.log = log.fn();
    options.backend = disk.opener();
    options.checkpoint_every = Duration{};
    options.workers = 1 + random() % 3;
    std::stop_source abandon;
    options.abandon = abandon.get_token();
    const std::size_t until = input->read + 100 + random() % 900;
    const bool last = run >= 12;
    std::jthread killer([&](std::stop_token done) {
      while (!last && !done.stop_requested() && input->read < until) std::this_thread::yield();
      if (!last && !done.stop_requested()) abandon.request_stop();
    });
    const auto result = run_pipeline(plan, options);
    killer.request_stop();
    killer.join();
    REQUIRE(result);
    if (!abandon.stop_requested()) break;
  }
  // Which of the two passes is up to the order of arrival; that one does is not.
  const auto lines = outputs.even->sorted();
  CHECK(lines.size() == 3000);
  CHECK(std::adjacent_find(lines.begin(), lines.end()) == lines.end());
  CHECK(outputs.odd->lines.size() == 3000);
}
