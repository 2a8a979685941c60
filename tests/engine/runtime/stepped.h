// SPDX-License-Identifier: Apache-2.0
// Surroundings: what a pipeline over fakes stands in: source type `fake`, sinks `fake` and
// `fake_dead`, a clock that the test moves. Stepped: its workers take their turns, too, when the
// test says so.
#pragma once

#include "engine/runtime/stepped_run.h"
#include "operators/builtin_operators.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <memory>
#include <string>

namespace streamd::test {

struct Surroundings {
  std::shared_ptr<FakeInput> input = std::make_shared<FakeInput>();
  std::shared_ptr<FakeOutput> out = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> dead = std::make_shared<FakeOutput>();
  ManualClock clock{{1'000'000'000'000}};
  Log log;
  Disk disk;

  Plan plan_for(const std::string& pipeline) const {
    Registry registry;
    add_builtin_operators(registry);
    add_fake_source(registry, input);
    add_fake_sink(registry, "fake", out);
    add_fake_sink(registry, "fake_dead", dead);
    return plan_of(pipeline, registry);
  }
  RunOptions options_for(unsigned workers) {
    RunOptions options;
    options.workers = workers;
    options.clock = &clock;
    options.log = log.fn();
    options.backend = disk.opener();
    return options;
  }
};

struct Stepped : Surroundings {
  const Plan plan;
  std::unique_ptr<SteppedRun> run;

  // The input is endless unless the test says otherwise.
  explicit Stepped(const std::string& pipeline) : plan(plan_for(pipeline)) {
    input->endless = true;
  }
  // Again, too: with what the disk holds.
  void open(unsigned workers = 1) {
    RunOptions options = options_for(workers);
    options.hash_seed = 1;
    auto opened = SteppedRun::open(plan, options);
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
