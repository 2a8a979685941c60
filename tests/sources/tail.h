// SPDX-License-Identifier: Apache-2.0
// A file source that follows a path or a pattern, and can be started again.
#pragma once

#include "sources/builtin_sources.h"
#include "tests/contract/source_contract.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd::test {

struct Tail {
  ManualClock clock;
  Registry registry;
  std::unique_ptr<SourcePlan> plan;
  std::unique_ptr<Source> source;
  std::unique_ptr<Reader> reader;
  std::vector<std::string> notices;
  Positions stored;

  explicit Tail(const std::string& path, const std::string& from = "start") {
    add_file_source(registry);
    Diagnostics problems;
    plan = make_plan(registry.sources(), "file",
                     map_of({{"path", scalar(path)},
                             {"follow", scalar("true")},
                             {"from", scalar(from)},
                             {"rotate_wait", scalar("30s")}}),
                     problems);
    REQUIRE(plan);
    CHECK_FALSE(plan->bounded());
    start({});
  }
  void start(const Positions& at) {
    reader.reset();
    stored = at;
    SourceContext context;
    context.clock = &clock;
    context.resume_at = at;
    context.log = [this](int, const std::string& text) { notices.push_back(text); };
    auto opened = plan->open(std::move(context));
    REQUIRE(opened);
    source = std::move(*opened);
    reader = std::move(*source->reader(0));
  }
  // What an epoch does.
  void commit() {
    for (const auto& [name, position] : positions_of(*reader)) stored[name] = position;
    std::vector<std::uint32_t> over;
    reader->over(over);
    for (const std::uint32_t partition : over) stored.erase(reader->partition_name(partition));
  }
  void restart() {
    commit();
    start(Positions(stored));
  }

  // What is new, as text; a comma between records.
  std::string read(int seconds = 2) {
    std::string text;
    for (int i = 0; i <= seconds; ++i) {
      for (const auto& r : drain(*reader)) text += (text.empty() ? "" : ",") + r.data;
      clock.advance(Duration::from_seconds(1));
    }
    return text;
  }
};

}  // namespace streamd::test
