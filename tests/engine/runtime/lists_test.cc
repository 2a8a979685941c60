// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/lists.h"

#include "engine/match/indicator_list.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"
#include "tests/support/temp_dir.h"

#include <filesystem>
#include <fstream>
#include <functional>

using namespace streamd;
using namespace streamd::test;

namespace {

using Step = std::function<Result<ListUpdate>()>;

struct Script {
  std::vector<Step> steps;  // one per load(); the last one again and again
  std::size_t loads = 0;
};

class ScriptedLoader final : public ListLoader {
 public:
  explicit ScriptedLoader(Script& script) : script_(script) {}
  Result<ListUpdate> load(std::stop_token) override {
    return script_.steps[std::min(script_.loads++, script_.steps.size() - 1)]();
  }

 private:
  Script& script_;
};

class ScriptedPlan final : public ListPlan {
 public:
  explicit ScriptedPlan(Script& script) : script_(script) {}
  std::string describe() const override { return "a script"; }
  IndicatorFields fields() const override { return 0; }
  Duration refresh() const override { return Duration::from_seconds(10); }
  double max_shrink() const override { return 0.8; }
  Result<std::unique_ptr<ListLoader>> open(ListContext) const override {
    return std::make_unique<ScriptedLoader>(script_);
  }

 private:
  Script& script_;
};

Step entries(std::size_t count) {
  return [count]() -> Result<ListUpdate> {
    IndicatorListBuilder builder(1);
    for (std::size_t i = 0; i < count; ++i) builder.add({.value = "name" + std::to_string(i)});
    ListUpdate update;
    update.list = builder.build();
    return update;
  };
}
// So many that end, and some that do not.
Step ending(std::size_t count, EventTime end, std::size_t lasting) {
  return [=]() -> Result<ListUpdate> {
    IndicatorListBuilder builder(1);
    for (std::size_t i = 0; i < count; ++i)
      builder.add({.value = "ends" + std::to_string(i), .expires = end});
    for (std::size_t i = 0; i < lasting; ++i) builder.add({.value = "name" + std::to_string(i)});
    ListUpdate update;
    update.list = builder.build();
    return update;
  };
}
Step unchanged() {
  return []() -> Result<ListUpdate> { return ListUpdate{}; };
}
Step failing(const std::string& message, Retry retry = Retry::backoff) {
  return [message, retry]() -> Result<ListUpdate> {
    return tl::unexpected(Error{ErrorKind::external, retry, message, "look"});
  };
}

struct Case {
  Script script;
  ManualClock clock;
  Log log;
  PlanList list;
  TempDir dir;
  std::unique_ptr<RunningList> running;

  explicit Case(std::vector<Step> steps) {
    script.steps = std::move(steps);
    list.name = "bad";
    list.plan = std::make_unique<ScriptedPlan>(script);
    list.slot = std::make_shared<ListSlot>("bad", 0);
    running = std::make_unique<RunningList>(list, clock, log.fn(), 9);
    REQUIRE(running->open("p", dir.path()));
  }
  std::size_t size() const { return list.slot->take().list->size(); }
  void later(std::int64_t seconds) {
    clock.advance(Duration::from_seconds(seconds));
    REQUIRE(running->turn({}));
  }
};

}  // namespace

TEST_CASE("a list is refreshed when it is time, give or take a tenth") {
  Case c({entries(3), entries(4), unchanged(), entries(5)});
  REQUIRE(c.running->load({}));
  CHECK(c.size() == 3);
  CHECK(c.log.count("list \"bad\": 3 entries") == 1);
  c.later(8);
  CHECK(c.script.loads == 1);
  c.later(4);
  CHECK(c.script.loads == 2);
  CHECK(c.size() == 4);
  c.later(12);
  CHECK(c.size() == 4);
  c.later(12);
  CHECK(c.size() == 5);
  const auto idle = c.running->turn({});
  REQUIRE(idle);
  CHECK(*idle >= Duration::from_seconds(9));
  CHECK(*idle <= Duration::from_seconds(11));
}

TEST_CASE("a refresh that fails keeps the list, is told once and healed") {
  Case c({entries(3), failing("gone"), failing("gone"), failing("still gone"), entries(4)});
  REQUIRE(c.running->load({}));
  for (int i = 0; i < 3; ++i) c.later(12);
  CHECK(c.script.loads == 4);
  CHECK(c.size() == 3);
  CHECK(c.log.count("list \"bad\": gone; the 3 entries of before stay in force; look") == 1);
  CHECK(c.log.count("gone") == 1);
  CHECK(c.log.count("healed") == 0);
  c.later(12);
  CHECK(c.size() == 4);
  CHECK(c.log.count("list \"bad\": healed") == 1);
}

TEST_CASE("after a failure it is tried again soon, and slowly when a person has to act") {
  Case soon({entries(3), failing("gone")});
  REQUIRE(soon.running->load({}));
  soon.later(12);
  CHECK(*soon.running->turn({}) <= Duration::from_millis(1100));
  Case slow({entries(3), failing("refused", Retry::never)});
  REQUIRE(slow.running->load({}));
  slow.later(12);
  CHECK(*slow.running->turn({}) >= Duration::from_seconds(27));
  CHECK(slow.size() == 3);
}

TEST_CASE("a list that has shrunk suspiciously is not taken") {
  Case c({entries(100), entries(19), entries(0), entries(20)});
  REQUIRE(c.running->load({}));
  c.later(12);
  CHECK(c.size() == 100);
  CHECK(c.log.count("a refresh has 19 entries instead of 100") == 1);
  c.later(12);
  CHECK(c.size() == 100);
  c.later(12);
  CHECK(c.size() == 20);
  CHECK(c.log.count("healed") == 1);
}

TEST_CASE("what has ended by its own time is not missing from a refresh") {
  Case c({unchanged(), ending(0, {}, 30), ending(0, {}, 5)});
  c.script.steps[0] = ending(200, c.clock.wall() + Duration::from_seconds(5), 29);
  REQUIRE(c.running->load({}));
  c.later(12);
  CHECK(c.size() == 30);
  c.later(12);
  CHECK(c.size() == 30);
  CHECK(c.log.count("a refresh has 5 entries instead of 30") == 1);
}

TEST_CASE("a list that was not taken is not healed by staying as it is") {
  Case c({entries(100), entries(1), unchanged(), failing("gone"), unchanged(), entries(50)});
  REQUIRE(c.running->load({}));
  for (int i = 0; i < 4; ++i) c.later(12);
  CHECK(c.script.loads == 5);
  CHECK(c.size() == 100);
  CHECK(c.log.count("a refresh has 1 entries instead of 100") == 1);
  CHECK(c.log.count("healed") == 0);
  const auto status = read_list_status(c.dir.path(), "bad");
  REQUIRE(status);
  CHECK(status->entries == 100);
  CHECK(status->trouble.starts_with("a refresh has 1 entries"));
  c.later(12);
  CHECK(c.size() == 50);
  CHECK(c.log.count("healed") == 1);
}

TEST_CASE("a short list may lose all of its entries") {
  Case c({entries(5), entries(0)});
  REQUIRE(c.running->load({}));
  c.later(12);
  CHECK(c.size() == 0);
}

TEST_CASE("a first load that fails is the caller's to repeat") {
  Case c({failing("not yet"), entries(2)});
  const auto first = c.running->load({});
  REQUIRE_FALSE(first);
  CHECK(first.error().message == "not yet");
  REQUIRE(c.running->load({}));
  CHECK(c.size() == 2);
}

TEST_CASE("a list out of a copy is in force, and what is wrong is told") {
  const Step copied = [] {
    auto update = entries(7)();
    update->trouble = Error{ErrorKind::external, Retry::backoff, "away", ""};
    return update;
  };
  Case c({copied, entries(8)});
  REQUIRE(c.running->load({}));
  CHECK(c.size() == 7);
  CHECK(c.log.count("away; the 7 entries of before stay in force") == 1);
  c.later(2);
  CHECK(c.size() == 8);
  CHECK(c.log.count("healed") == 1);
}

TEST_CASE("an old content is let go of when nobody looks at it any more") {
  Case c({entries(3), entries(4)});
  REQUIRE(c.running->load({}));
  const std::weak_ptr<const IndicatorList> old = c.list.slot->take().list;
  auto worker = c.list.slot->take();
  c.later(12);
  CHECK_FALSE(old.expired());
  worker.list.reset();
  CHECK_FALSE(old.expired());
  REQUIRE(c.running->turn({}));
  CHECK(old.expired());
}

TEST_CASE("how a list is doing stands in a file beside its copy") {
  Case c({entries(30), failing("away"), failing("away"), entries(31), entries(32)});
  CHECK_FALSE(read_list_status(c.dir.path(), "bad"));
  c.clock.jump({5'000'000});
  REQUIRE(c.running->load({}));
  const auto now = [&] { return read_list_status(c.dir.path(), "bad").value(); };
  CHECK(now() == ListStatus{30, {5'000'000}, "", {}});
  c.later(12);
  CHECK(now() == ListStatus{30, {5'000'000}, "away", {17'000'000}});
  c.later(12);
  CHECK(now().since == EventTime{17'000'000});
  c.later(12);
  CHECK(now() == ListStatus{31, {41'000'000}, "", {}});
}

TEST_CASE("a list out of a copy is as old as it was loaded by an earlier run") {
  const Step copied = []() -> Result<ListUpdate> {
    auto update = entries(30)();
    update->trouble = Error{ErrorKind::external, Retry::backoff, "away", ""};
    return update;
  };
  Case c({entries(30), copied, entries(31)});
  const auto loaded = [&] { return read_list_status(c.dir.path(), "bad").value().loaded; };
  c.clock.jump({5'000'000});
  REQUIRE(c.running->load({}));
  c.running = std::make_unique<RunningList>(c.list, c.clock, c.log.fn(), 9);
  REQUIRE(c.running->open("p", c.dir.path()));
  c.clock.jump({500'000'000});
  REQUIRE(c.running->load({}));
  CHECK(loaded() == EventTime{5'000'000});
  c.later(12);
  CHECK(loaded() == EventTime{512'000'000});
}

TEST_CASE("the file that says how a list is doing may hold anything") {
  TempDir dir;
  std::filesystem::create_directories(dir.path() / "lists");
  for (const char* text : {"", "{", "[]", "{}", "7", "{\"loaded\":\"x\"}"}) {
    INFO(text);
    std::ofstream(dir.path() / "lists/l.status.json") << text;
    CHECK_FALSE(read_list_status(dir.path(), "l"));
  }
  write_list_status(dir.path() / "none", "l", {});
  CHECK_FALSE(std::filesystem::exists(dir.path() / "none"));
}
