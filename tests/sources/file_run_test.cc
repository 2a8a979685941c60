// SPDX-License-Identifier: Apache-2.0
// A followed log and the state of the pipeline that reads it: every line is there once, wherever
// the run is killed, and the state has no position too many.
#include "engine/runtime/stepped_run.h"
#include "sources/builtin_sources.h"
#include "tests/contract/component.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <fmt/format.h>

#include <algorithm>

using namespace streamd;
using namespace streamd::test;

namespace {

struct Follower {
  TempDir dir;
  std::string log = dir.file("log");
  std::shared_ptr<FakeOutput> out = std::make_shared<FakeOutput>();
  ManualClock clock{{1'000'000'000'000}};
  Disk disk;
  Plan plan;
  std::unique_ptr<SteppedRun> run;
  std::vector<std::string> written;

  Follower() {
    Registry registry;
    add_file_source(registry);
    add_fake_sink(registry, "fake", out);
    add_fake_sink(registry, "fake_dead", std::make_shared<FakeOutput>());
    plan = plan_of(fmt::format(R"(
pipeline: test
dead_letters: dead
sources:
  in: {{type: file, path: {}, follow: true}}
sinks:
  out: {{type: fake, input: in}}
  dead: {{type: fake_dead}}
)",
                               log),
                   registry);
  }
  // Cuts the log first, or goes on in it.
  void write(bool cut, const std::vector<std::string>& texts) {
    std::string lines;
    for (const std::string& text : texts) {
      lines += fmt::format("{{\"text\":\"{}\"}}\n", text);
      written.push_back(text);
    }
    if (cut)
      write_file(log, lines);
    else
      append_file(log, lines);
  }
  // As after kill -9, when it ran.
  void start() {
    run.reset();
    RunOptions options;
    options.clock = &clock;
    options.backend = disk.opener();
    options.hash_seed = 1;
    options.log = [](LogLevel, const std::string&) {};
    auto opened = SteppedRun::open(plan, options);
    REQUIRE(opened.has_value());
    run = std::move(*opened);
    look();
  }
  void look() {
    clock.advance(Duration::from_seconds(1));
    REQUIRE(run->settle().has_value());
  }
  void commit() { REQUIRE(run->checkpoint().has_value()); }

  // Empty: each line arrived once, in order.
  std::string wrong() {
    const std::lock_guard lock(out->mutex);
    std::string text;
    for (std::size_t n = 0; n < std::max(out->lines.size(), written.size()); ++n) {
      const std::string came = n < out->lines.size() ? out->lines[n] : "nothing";
      if (n >= written.size() || came.find("\"" + written[n] + "\"") == std::string::npos)
        text += fmt::format("{}: {}; ", n, came);
    }
    return text;
  }
  int positions() {
    int count = 0;
    REQUIRE(disk.backend->scan("p/", "p0", [&](std::string_view, std::string_view) -> Status {
      ++count;
      return {};
    }));
    return count;
  }
};

}  // namespace

TEST_CASE("Lines that a log had before it was cut are read once more when they are new") {
  Follower follower;
  follower.write(true, {"boot", "ready", "job done"});
  follower.start();
  follower.commit();
  follower.write(true, {"boot"});
  follower.look();
  follower.commit();
  follower.start();
  follower.write(false, {"ready", "job done"});
  follower.start();
  CHECK(follower.wrong() == "");
  follower.commit();
  CHECK(follower.positions() == 1);
}

TEST_CASE("Lines of a log that was cut do not come twice") {
  Follower follower;
  follower.write(true, {"boot", "ready"});
  follower.start();
  follower.commit();
  follower.write(true, {"boot"});
  follower.look();
  follower.write(false, {"ready", "one", "two"});
  follower.look();
  const bool committed = GENERATE(true, false);
  if (committed) follower.commit();
  follower.start();
  follower.look();
  // Where no epoch has seen the cut, the log is the old one, with more in it.
  if (!committed)
    follower.written.erase(follower.written.begin() + 2, follower.written.begin() + 4);
  CHECK(follower.wrong() == "");
  follower.commit();
  CHECK(follower.positions() == 1);
}

TEST_CASE("A log that is cut again and again leaves one position") {
  Follower follower;
  follower.write(true, {"boot", "ready"});
  follower.start();
  for (int round = 0; round < 12; ++round) {
    follower.commit();
    follower.write(true, {"boot"});
    follower.look();
    follower.write(false, {"ready"});
    follower.look();
    follower.commit();
    CHECK(follower.positions() == 1);
    if (round % 3 == 0) follower.start();
  }
  CHECK(follower.wrong() == "");
}
