// SPDX-License-Identifier: Apache-2.0
// A loader of one kind of list, made from its settings.
#pragma once

#include "engine/match/indicator_list.h"
#include "lists/builtin_lists.h"
#include "tests/contract/component.h"

namespace streamd::test {

struct ListFixture {
  Registry registry;
  Diagnostics problems;
  ManualClock clock{{1'000'000'000}};
  std::unique_ptr<ListPlan> plan;
  std::unique_ptr<ListLoader> loader;
  std::vector<std::string> log;

  ListFixture(const std::string& type, const ConfigNode& fields, const std::string& dir = ".") {
    add_builtin_lists(registry);
    plan = make_plan(registry.lists(), type, fields, problems);
    if (problems.errors() > 0) return;
    open(dir);
  }
  void open(const std::string& dir) {
    ListContext context;
    context.name = "l";
    context.pipeline = "p";
    context.state_dir = dir;
    context.clock = &clock;
    context.hash_seed = 1;
    context.log = [this](int, const std::string& text) { log.push_back(text); };
    auto opened = plan->open(std::move(context));
    REQUIRE(opened);
    loader = std::move(*opened);
  }
  ListUpdate load() {
    auto update = loader->load({});
    if (!update) FAIL(update.error().message);
    return std::move(*update);
  }
  Error error() {
    auto update = loader->load({});
    REQUIRE_FALSE(update);
    return update.error();
  }
};

inline bool has(const IndicatorList& list, std::string_view value, EventTime now = {}) {
  return list.find(value, now) != 0;
}

}  // namespace streamd::test
