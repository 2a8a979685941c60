// SPDX-License-Identifier: Apache-2.0
// The answers of a pipeline that really runs.
#include "engine/watch/watch.h"

#include "engine/io/control/client.h"
#include "operators/builtin_operators.h"
#include "tests/support/catch.h"
#include "tests/support/fakes.h"
#include "tests/support/temp_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr const char* kPipeline = R"(
pipeline: test
dead_letters: dead
sources:
  in: {type: fake, time: {field: t, format: unix}}
operators:
  typed: {type: convert, input: in, fields: {status: int}}
  errors: {type: filter, input: typed, where: status >= 400}
  per_status:
    type: window
    input: typed
    window: {tumbling: 10s}
    by: [status]
    compute: {requests: count()}
sinks:
  out: {type: fake, input: errors}
  counts: {type: fake_counts, input: per_status}
  dead: {type: fake_dead}
)";

struct Case {
  std::shared_ptr<FakeInput> input = std::make_shared<FakeInput>();
  std::shared_ptr<FakeOutput> out = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> counts = std::make_shared<FakeOutput>();
  std::shared_ptr<FakeOutput> dead = std::make_shared<FakeOutput>();
  Log log;
  SystemClock clock;
  Disk disk;
  TempDir dir;
  RunOptions options;
  WatchOptions watching;
  SecretMask mask;
  std::stop_source stop;
  std::promise<Observed> running;
  std::optional<Observed> observed;
  control::Handler handler;
  Result<Progress> result = Progress{};
  std::jthread thread;

  // Runs a pipeline whose records wait until release().
  Case(unsigned workers, const std::vector<std::string>& records) {
    input->partitions.resize(2);
    input->endless = true;
    input->allowed = 0;
    for (std::size_t i = 0; i < records.size(); ++i) input->partitions[i % 2].push_back(records[i]);
    options.clock = watching.clock = &clock;
    options.log = watching.log = log.fn();
    options.backend = disk.opener();
    options.checkpoint_every = Duration::from_millis(1);
    options.workers = workers;
    options.state_root = dir.path().string();
    options.stop = stop.get_token();
    std::filesystem::create_directories(dir / "test");
    options.observe = [this](const Observed& seen) {
      running.set_value(seen);
      return watch(seen, watching);
    };
    thread = std::jthread([this] {
      Registry registry;
      add_builtin_operators(registry);
      add_fake_source(registry, input);
      add_fake_sink(registry, "fake", out);
      add_fake_sink(registry, "fake_counts", counts);
      add_fake_sink(registry, "fake_dead", dead);
      const Plan plan = plan_of(kPipeline, registry);
      result = run_pipeline(plan, options);
    });
    observed.emplace(running.get_future().get());
    handler = answers_about(*observed, watching, mask);
  }
  ~Case() { end(); }
  void end() {
    stop.request_stop();
    if (thread.joinable()) thread.join();
  }
  void release() { input->allowed = ~std::size_t{0}; }
};

struct Said {
  int code = -1;
  std::vector<std::string> out, err;
};

Said read(const control::Answer& answer) {
  Said said;
  control::AnswerLines lines;
  lines.add(answer.bytes());
  while (const auto line = lines.next()) {
    if (line->kind == 'x') said.code = std::stoi(line->text);
    if (line->kind == 'o') said.out.push_back(line->text);
    if (line->kind == 'e') said.err.push_back(line->text);
  }
  return said;
}

control::Request tap(std::vector<std::pair<std::string, std::string>> values) {
  return {"tap", std::move(values)};
}

Said refusal(Case& c, const control::Request& request) {
  control::Answer answer;
  CHECK(c.handler(request, answer) == nullptr);
  return read(answer);
}

// Lets the records go once the tap is there, and looks until it has seen as many as it wants.
Said look(Case& c, const control::Request& request) {
  control::Answer answer;
  const auto session = c.handler(request, answer);
  INFO(answer.bytes());
  REQUIRE(session != nullptr);
  c.release();
  for (int i = 0; i < 60'000 && !answer.finished(); ++i) {
    session->work(answer);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE(answer.finished());
  return read(answer);
}

std::string record(int t, const std::string& status) {
  return fmt::format(R"({{"t":{},"status":"{}"}})", t, status);
}

// Dealt to two partitions in turn, each of which ends late enough for windows to close.
const std::vector<std::string> kRecords = {record(1, "200"), record(2, "404"),  "{broken",
                                           record(3, "500"), record(4, "many"), record(60, "200"),
                                           record(60, "200")};

bool has(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const auto& line) { return line.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("records of sources, operators, windows and sinks can be looked at", "[watch]") {
  for (const unsigned workers : {1u, 2u}) {
    const Said source =
        look(*std::make_unique<Case>(workers, kRecords), tap({{"node", "in"}, {"limit", "5"}}));
    CHECK(source.code == 0);
    CHECK(source.out.size() == 5);
    CHECK(has(source.out, R"(1970-01-01T00:00:01Z  fake/0@0  {"t":1,"status":"200"})"));

    const Said op = look(*std::make_unique<Case>(workers, kRecords),
                         tap({{"node", "errors"}, {"limit", "2"}, {"json", "true"}}));
    CHECK(has(op.out, R"("record":{"t":2,"status":404}})"));
    CHECK(has(op.out, R"("record":{"t":3,"status":500}})"));

    const Said window =
        look(*std::make_unique<Case>(workers, kRecords),
             tap({{"node", "per_status"}, {"where", "status == 404"}, {"limit", "1"}}));
    CHECK(has(window.out, R"("requests":1)"));

    const Said sink = look(*std::make_unique<Case>(workers, kRecords),
                           tap({{"node", "out"}, {"where", "status > 404"}, {"limit", "1"}}));
    CHECK(has(sink.out, R"({"t":3,"status":500})"));
  }
}

TEST_CASE("port errors shows the dead letters of one node", "[watch]") {
  for (const unsigned workers : {1u, 2u}) {
    const Said source = look(*std::make_unique<Case>(workers, kRecords),
                             tap({{"node", "in"}, {"port", "errors"}, {"limit", "1"}}));
    CHECK(has(source.out, R"("code":"bad-json")"));
    CHECK(has(source.out, "{broken"));
    const Said op =
        look(*std::make_unique<Case>(workers, kRecords), tap({{"node", "typed"},
                                                              {"port", "errors"},
                                                              {"where", "code == 'convert'"},
                                                              {"limit", "1"}}));
    CHECK(has(op.out, "many"));
  }
}

TEST_CASE("a name or port that is not there is told with those that are", "[watch]") {
  Case c(1, {});
  const Said node = refusal(c, tap({{"node", "erors"}}));
  CHECK(node.code == 2);
  CHECK(node.err.at(0) == "error: pipeline test has no node \"erors\"");
  CHECK(
      node.err.at(1) ==
      "  = help: did you mean \"errors\"? nodes: in, typed, errors, per_status, out, counts, dead");
  const Said port = refusal(c, tap({{"node", "per_status"}, {"port", "latte"}}));
  CHECK(port.code == 2);
  CHECK(port.err.at(1) == "  = help: ports: out, late, errors");
  CHECK(refusal(c, tap({{"node", "errors"}, {"port", "late"}})).code == 2);
  CHECK(refusal(c, {"dance", {}}).code == 2);
}

TEST_CASE("a condition that does not compile is shown with a caret", "[watch]") {
  Case c(1, {});
  const Said said = refusal(c, tap({{"node", "per_status"}, {"where", "requsts > 10"}}));
  CHECK(said.code == 2);
  CHECK(said.err.at(0).starts_with("--where:1:1: error: "));
  CHECK(has(said.err, "requsts > 10"));
  CHECK(has(said.err, "^~~~~~~"));
  CHECK(has(said.err, "did you mean \"requests\"?"));
  CHECK_FALSE(c.observed->taps.any());
}

TEST_CASE("more taps than there are places are refused", "[watch]") {
  Case c(1, {});
  std::vector<std::unique_ptr<control::Session>> open;
  control::Answer ignored;
  for (std::size_t i = 0; i < Taps::kMaxTaps; ++i)
    open.push_back(c.handler(tap({{"node", "in"}}), ignored));
  const Said said = refusal(c, tap({{"node", "in"}}));
  CHECK(said.code == 1);
  CHECK(said.err.at(0) == "error: 4 taps are open already");
  open.pop_back();
  CHECK(c.handler(tap({{"node", "in"}}), ignored) != nullptr);
}

TEST_CASE("health is asked over the socket, which ends with the run", "[watch]") {
  Case c(2, kRecords);
  const std::string socket = c.dir / "test/CONTROL";
  std::vector<std::string> lines;
  const auto ask = [&] {
    lines.clear();
    return control::ask(socket, {"health", {{"limit", "60s"}}},
                        [&](const control::AnswerLines::Line& line) {
                          lines.push_back(line.text);
                          return true;
                        });
  };
  Result<int> code = 1;
  for (int i = 0; i < 60'000 && code != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    code = ask();
    if (code == 1) CHECK(has(lines, "test: is starting since "));
  }
  CHECK(code == 0);
  CHECK(has(lines, "test: well: 2 workers, epoch "));
  c.end();
  CHECK_FALSE(ask());
  CHECK_FALSE(std::filesystem::exists(socket));
  REQUIRE(c.result);
}

TEST_CASE("a sink that fails too long is told by health", "[watch]") {
  Case c(1, kRecords);
  c.out->failures = 1'000'000;
  c.release();
  const auto unwell = [&] {
    control::Answer answer;
    (void)c.handler({"health", {{"limit", "1ms"}}}, answer);
    return read(answer);
  };
  Said said;
  for (int i = 0; i < 60'000 && !has(said.out, "test: sink \"out\": "); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    said = unwell();
  }
  CHECK(said.code == 1);
  CHECK(has(said.out, "test: sink \"out\": "));
  c.out->failures = 0;
  for (int i = 0; i < 60'000 && has(said.out, "test: sink \"out\": "); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    said = unwell();
  }
  CHECK_FALSE(has(said.out, "test: sink \"out\": "));
}

TEST_CASE("a folder without room for a socket is a warning, and the pipeline runs", "[watch]") {
  Case c(1, {});
  Observed nowhere{c.observed->plan, "/nowhere/at/all", c.observed->taps, c.observed->health};
  CHECK(watch(nowhere, c.watching) != nullptr);
  CHECK(c.log.count("can't look at it") == 1);
}
