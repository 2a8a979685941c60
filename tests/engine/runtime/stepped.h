// SPDX-License-Identifier: Apache-2.0
// Stepped: a pipeline over fakes whose workers take their turns, and whose clock moves, when the
// test says so. Source type `fake`; sinks `fake` and `fake_dead`.
#pragma once

#include "engine/runtime/stepped_run.h"
#include "operators/builtin_operators.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <memory>
#include <optional>
#include <string>

namespace streamd::test {

struct Stepped {
  std::shared_ptr<FakeInput> input = std::make_shared<FakeInput>();
  std::shared_ptr<FakeOutput> out = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> dead = std::make_shared<FakeOutput>();
  ManualClock clock{{1'000'000'000'000}};
  Log log;
  Disk disk;
  std::optional<Plan> plan;
  std::unique_ptr<SteppedRun> run;

  // The input is endless unless the test says otherwise.
  explicit Stepped(const std::string& pipeline) {
    Registry registry;
    add_builtin_operators(registry);
    add_fake_source(registry, input);
    add_fake_sink(registry, "fake", out);
    add_fake_sink(registry, "fake_dead", dead);
    input->endless = true;
    plan = plan_of(pipeline, registry);
  }
  // Again, too: with what the disk holds.
  void open(unsigned workers = 1) {
    RunOptions options;
    options.workers = workers;
    options.clock = &clock;
    options.log = log.fn();
    options.backend = disk.opener();
    options.hash_seed = 1;
    auto opened = SteppedRun::open(*plan, options);
    REQUIRE(opened.has_value());
    run = std::move(*opened);
    REQUIRE(run->settle().has_value());
  }
  void pass(Duration time) {
    clock.advance(time);
    REQUIRE(run->settle().has_value());
  }
};

}  // namespace streamd::test
