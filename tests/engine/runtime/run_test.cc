// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/run.h"

#include "engine/runtime/dead_letters.h"
#include "engine/runtime/report.h"
#include "engine/state/epoch_store.h"
#include "operators/builtin_operators.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr const char* kFilter = R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix}}
operators:
  typed: {type: convert, input: in, fields: {status: int}}
  errors: {type: filter, input: typed, where: status >= 400}
sinks:
  out: {type: fake, input: errors}
  all: {type: fake_all, input: in}
  dead: {type: fake_dead}
)";

struct Case {
  std::shared_ptr<FakeInput> input = std::make_shared<FakeInput>();
  std::shared_ptr<FakeOutput> out = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> all = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> dead = std::make_shared<FakeOutput>();
  Log log;
  SystemClock clock;
  Disk disk;
  RunOptions options;

  Case() {
    options.clock = &clock;
    options.log = log.fn();
    options.backend = disk.opener();
    options.checkpoint_every = Duration::from_millis(1);
  }
  Plan plan(const std::string& yaml) {
    Registry registry;
    add_builtin_operators(registry);
    add_fake_source(registry, input);
    add_fake_sink(registry, "fake", out);
    add_fake_sink(registry, "fake_all", all);
    add_fake_sink(registry, "fake_dead", dead);
    return plan_of(yaml, registry);
  }
};

std::string record(int t, const std::string& status) {
  return fmt::format(R"({{"t":"{}","status":"{}"}})", t, status);
}

}  // namespace

TEST_CASE("records flow through a pipeline and the books balance", "[runtime]") {
  for (const unsigned workers : {1u, 2u, 3u}) {
    Case c;
    c.options.workers = workers;
    c.input->partitions.resize(4);
    std::vector<std::string> wanted;
    for (int i = 0; i < 4000; ++i) {
      auto& partition = c.input->partitions[static_cast<std::size_t>(i % 4)];
      if (i % 50 == 7)
        partition.push_back("{broken");
      else if (i % 50 == 8)
        partition.push_back(record(i, "many"));
      else if (i % 50 == 9)
        partition.push_back(R"({"status":"200"})");
      else
        partition.push_back(record(i, i % 3 == 0 ? "404" : "200"));
    }
    const Plan plan = c.plan(kFilter);
    const auto result = run_pipeline(plan, c.options);
    REQUIRE(result);
    INFO(final_table(*result));
    for (const auto& node : result->nodes) CHECK(node.balanced());
    CHECK(c.dead->lines.size() == 240);
    CHECK(c.all->lines.size() == 4000 - 160);  // unreadable ones and those without a time
    const auto matching =
        std::count_if(c.out->lines.begin(), c.out->lines.end(),
                      [](const auto& l) { return l.find("404") != std::string::npos; });
    CHECK(matching == static_cast<std::ptrdiff_t>(c.out->lines.size()));
    CHECK(c.out->lines.size() > 1200);
  }
}

TEST_CASE("records that are gone before they were read are in the books", "[runtime]") {
  for (const unsigned workers : {1u, 2u}) {
    Case c;
    c.options.workers = workers;
    c.input->partitions = {{record(1, "404"), record(2, "200")}, {record(1, "200")}};
    c.input->expired = 12;
    const auto result = run_pipeline(c.plan(kFilter), c.options);
    REQUIRE(result);
    const auto& source = result->nodes[0];
    CHECK(source.in == 15);
    CHECK(source.out == 3);
    CHECK(source.dropped[static_cast<std::size_t>(DropReason::expired)] == 12);
    CHECK(source.balanced());
    CHECK(final_table(*result).find("expired 12") != std::string::npos);
  }
}

TEST_CASE("a dead letter carries node, code, reason, position and the original bytes",
          "[runtime]") {
  Case c;
  c.input->partitions = {{record(1, "200"), "{broken", record(2, "many"), "\xff\xfe"}};
  const Plan plan = c.plan(kFilter);
  REQUIRE(run_pipeline(plan, c.options));
  const auto lines = c.dead->sorted();
  REQUIRE(lines.size() == 3);
  const auto has = [&](const std::string& part) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const auto& l) { return l.find(part) != std::string::npos; });
  };
  CHECK(has(R"("code":"bad-json")"));
  CHECK(has(R"("data":"{broken")"));
  CHECK(has(R"("node":"typed")"));
  CHECK(has(R"("position":2)"));
  CHECK(has(R"("source":"in","partition":"fake/0")"));
  CHECK(has(R"("encoding":"base64","data":"//4=")"));
}

TEST_CASE("a sink that is away is tried again, told once, and nothing is lost", "[runtime]") {
  Case c;
  c.out->failures = 3;
  for (int i = 0; i < 100; ++i)
    c.input->partitions.resize(1), c.input->partitions[0].push_back(record(i, "500"));
  const Plan plan = c.plan(kFilter);
  REQUIRE(run_pipeline(plan, c.options));
  CHECK(c.out->lines.size() == 100);
  CHECK(c.log.count("the far side is away") == 1);
  CHECK(c.log.count("healed") == 1);
}

// Two records, and nothing more until somebody asks for a stop.
struct Endless : Case {
  std::stop_source stop;

  Endless() {
    input->endless = true;
    input->partitions = {{record(1, "500"), record(2, "500")}};
    options.stop = stop.get_token();
  }
};

TEST_CASE("a stop ends an endless pipeline after a last checkpoint", "[runtime]") {
  Endless c;
  c.options.progress_every = Duration{};
  c.options.on_progress = [&](const Progress&) {
    if (c.input->read == 2) c.stop.request_stop();
  };
  const Plan plan = c.plan(kFilter);
  const auto result = run_pipeline(plan, c.options);
  REQUIRE(result);
  CHECK(c.out->lines.size() == 2);
  auto store = EpochStore::open(*c.disk.opener()(), 1);
  REQUIRE(store);
  CHECK((*store)->partitions("in")->at("fake/0").position == "2");
  CHECK((*store)->last_epoch() == result->epoch);
}

TEST_CASE("a sink whose part of an epoch is durable is not asked again for another one's",
          "[runtime]") {
  Endless c;
  c.options.checkpoint_every = Duration::from_seconds(3600);
  c.all->unprepared = 100;  // behind `out` in the plan
  c.options.progress_every = Duration{};
  c.options.on_progress = [&](const Progress&) {
    if (c.input->read == 2) c.stop.request_stop();
  };
  REQUIRE(run_pipeline(c.plan(kFilter), c.options));
  CHECK(c.all->asked > 100);
  CHECK(c.out->asked < 10);
}

namespace {

// Of the threads of this process, but for the calling one.
bool all_asleep() {
  const auto self = std::to_string(::gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == self) continue;
    std::ifstream file(task.path() / "stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.substr(text.rfind(')') + 1, 2) != " S") return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a worker sleeps while the sink of another one takes no records", "[runtime]") {
  Endless c;
  c.options.workers = 2;
  c.options.checkpoint_every = Duration::from_seconds(3600);
  c.all->failures = INT_MAX;
  c.input->batch = 1;
  // The one that does not own it reads more than fits between them.
  c.input->partitions.assign(2, std::vector<std::string>(1000, record(1, "500")));
  c.options.progress_every = Duration{};
  int looks = 0;
  bool asleep = false;
  std::size_t read = 0;
  c.options.on_progress = [&](const Progress&) {
    // Nobody reads any more.
    const bool full = c.input->read > 10 && std::exchange(read, c.input->read) == c.input->read;
    asleep = asleep || (full && all_asleep());
    if (!asleep && ++looks < 1000) return;
    c.all->failures = 0;
    c.stop.request_stop();
  };
  REQUIRE(run_pipeline(c.plan(kFilter), c.options));
  CHECK(asleep);
}

TEST_CASE("a stop waits for a transaction that cannot be committed yet", "[runtime]") {
  Endless c;
  int refused = 0;
  Epoch committed = 0;
  // As while a group is shared out anew.
  c.out->commit = [&](Epoch epoch) -> Status {
    if (c.input->read == 2) c.stop.request_stop();
    if (c.stop.stop_requested() && ++refused <= 3) return fail_for_now({});
    committed = epoch;
    return {};
  };
  SECTION("and ends in order when it can") {
    const auto result = run_pipeline(c.plan(kFilter), c.options);
    REQUIRE(result);
    CHECK(refused > 3);
    CHECK(c.out->lines.size() == 2);
    CHECK(result->epoch == committed);
  }
  SECTION("but no longer than its limit") {
    c.options.stop_limit = Duration{};
    const auto result = run_pipeline(c.plan(kFilter), c.options);
    REQUIRE(!result);
    CHECK(result.error().message == "fake did not answer before the stop");
    CHECK(refused < 3);
  }
}

TEST_CASE("a second run of an ended pipeline has nothing to do", "[runtime]") {
  Case c;
  c.input->partitions = {{record(1, "500"), record(2, "500")}};
  const Plan plan = c.plan(kFilter);
  REQUIRE(run_pipeline(plan, c.options));
  const auto before = c.input->read.load();
  REQUIRE(run_pipeline(plan, c.options));
  CHECK(c.input->read == before);
  CHECK(c.out->lines.size() == 2);
  CHECK(c.log.count("restored epoch") == 1);
}

TEST_CASE("dead letters hold whole records and do not pile up within a batch", "[runtime]") {
  constexpr const char* kParts = R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake}
operators:
  parts: {type: explode, input: in, field: x}
  typed: {type: convert, input: parts, fields: {x: int}}
sinks:
  out: {type: fake, input: typed}
  dead: {type: fake_dead}
)";
  Case c;
  std::string parts;
  for (int i = 0; i < 40; ++i) parts += R"("no number",)";
  const std::string large = fmt::format(R"({{"x":[{}7],"filler":"{}"}})", parts,
                                        std::string(DeadLetters::kMostBytes / 16, 'f'));
  c.input->partitions = {{large}};
  const Plan plan = c.plan(kParts);
  REQUIRE(run_pipeline(plan, c.options));
  CHECK(c.out->lines.size() == 1);
  REQUIRE(c.dead->lines.size() == 40);
  CHECK(c.dead->lines[0].size() > large.size());
  CHECK(c.dead->writes == 3);
}

TEST_CASE("the table names every node and every reason", "[runtime]") {
  Case c;
  c.input->partitions = {{record(1, "500"), record(2, "200"), "nonsense"}};
  const Plan plan = c.plan(kFilter);
  const auto result = run_pipeline(plan, c.options);
  REQUIRE(result);
  const std::string table = final_table(*result);
  for (const std::string part :
       {"in ", "typed", "errors", "filtered 1", "dead letters 1", "fake_all"})
    CHECK(table.find(part) != std::string::npos);
  CHECK(table.find("BALANCE") == std::string::npos);
}
