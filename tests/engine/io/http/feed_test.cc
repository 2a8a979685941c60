// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/feed.h"

#include "tests/contract/source_contract.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <set>

using namespace streamd;
using namespace streamd::http;
using namespace streamd::test;

namespace {

// Pages of texts; "p:<page>" is its position. Errors come first, as long as there are any.
struct Script {
  std::mutex mutex;
  std::vector<std::vector<std::string>> pages;
  std::deque<Error> errors;
  std::atomic<int> asked{0};
  bool endless = false;
};

class ScriptFetcher final : public Fetcher {
 public:
  ScriptFetcher(std::shared_ptr<Script> script, const Position& at) : script_(std::move(script)) {
    if (at.starts_with("p:")) page_ = std::stoul(at.substr(2));
  }
  Result<Turn> fetch(FeedBlock& block, std::stop_token) override {
    const std::lock_guard lock(script_->mutex);
    ++script_->asked;
    if (!script_->errors.empty()) {
      Error error = script_->errors.front();
      script_->errors.pop_front();
      return tl::unexpected(std::move(error));
    }
    if (page_ == script_->pages.size())
      return script_->endless ? Turn{Turn::What::nothing, false, Duration::from_seconds(1)}
                              : Turn{Turn::What::end};
    auto texts = std::make_shared<std::vector<std::string>>(script_->pages[page_]);
    for (const auto& text : *texts) block.batch.records.push_back({text});
    number_by_content(7, block.batch.records);
    block.batch.buffer = texts;
    block.at = "p:" + std::to_string(page_);
    block.after = "p:" + std::to_string(++page_);
    return Turn{Turn::What::block, page_ < script_->pages.size()};
  }

 private:
  std::shared_ptr<Script> script_;
  std::size_t page_ = 0;
};

// Waits where a worker would come back, and tells the source what it would commit.
class PatientReader final : public Reader {
 public:
  PatientReader(Source& source, std::unique_ptr<Reader> reader)
      : source_(source), reader_(std::move(reader)) {}
  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    const PullLimits patient{limits.max_records, Duration::from_millis(20)};
    for (int turn = 0; turn < 1000; ++turn) {
      auto pulled = reader_->pull(patient, out);
      (void)source_.acknowledge(1, positions_of(*reader_));
      if (!pulled || *pulled != Pull::idle) return pulled;
    }
    return Pull::idle;
  }
  void partitions(std::vector<PartitionState>& out) override { reader_->partitions(out); }
  std::string partition_name(std::uint32_t p) const override { return reader_->partition_name(p); }

 private:
  Source& source_;
  std::unique_ptr<Reader> reader_;
};

class PatientSource final : public Source {
 public:
  explicit PatientSource(std::unique_ptr<Source> source) : source_(std::move(source)) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    return std::make_unique<PatientReader>(*source_, std::move(*source_->reader(worker)));
  }
  void close() noexcept override { source_->close(); }

 private:
  std::unique_ptr<Source> source_;
};

struct Bench {
  ManualClock clock{EventTime{1'700'000'000'000'000}};
  std::shared_ptr<Script> script = std::make_shared<Script>();
  std::mutex mutex;
  std::vector<std::pair<int, std::string>> told;
  std::size_t max_record = 1 << 20;
  bool commit_first = false;
  Duration settle{};

  std::unique_ptr<Source> open(const Positions& at = {}) {
    SourceContext context;
    context.node = "in";
    context.clock = &clock;
    context.resume_at = at;
    context.max_record = max_record;
    context.log = [this](int level, const std::string& text) {
      const std::lock_guard lock(mutex);
      told.emplace_back(level, text);
    };
    FeedOptions options;
    options.partition = "feed";
    options.far_side = "the far side";
    options.start = at.empty() ? "0" : at.at("feed");
    options.commit_first = commit_first;
    options.settle = settle;
    auto fetcher = std::make_unique<ScriptFetcher>(script, stored_position(context, "feed"));
    return open_feed(std::move(fetcher), options, context);
  }
  std::size_t told_with(int level, std::string_view part) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::count_if(told.begin(), told.end(), [&](const auto& t) {
      return t.first == level && t.second.find(part) != std::string::npos;
    }));
  }
  // Until the condition holds; the clock goes on meanwhile.
  template <class Condition>
  void wait_for(Condition condition) {
    for (int i = 0; i < 60'000; ++i) {
      if (condition()) return;
      clock.advance(Duration::from_millis(100));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    FAIL("the condition never holds");
  }
};

std::vector<std::string> texts(const std::vector<SeenRecord>& seen) {
  std::vector<std::string> out;
  for (const auto& r : seen) out.push_back(r.data);
  return out;
}

Error for_now(const char* text) { return {ErrorKind::external, Retry::backoff, text, {}}; }

}  // namespace

TEST_CASE("A feed goes on after every batch that it handed out") {
  for (const bool commit_first : {false, true}) {
    Bench bench;
    bench.commit_first = commit_first;
    bench.script->pages = {{"a", "b", "c", "d", "e"}, {}, {"f"}, {"g", "g", "h"}, {}};
    for (const std::size_t max_records : {1u, 2u, 3u, 100u}) {
      check_resume(
          [&](const Positions& at) { return std::make_unique<PatientSource>(bench.open(at)); },
          max_records);
    }
  }
}

TEST_CASE("A page that changed since it was read in part is read again as a whole") {
  Bench bench;
  bench.script->pages = {{"a", "b", "c"}};
  Positions at;
  {
    PatientSource source(bench.open());
    auto reader = std::move(*source.reader(0));
    std::vector<SeenRecord> seen;
    pull_once(*reader, seen, 2);
    at = positions_of(*reader);
    CHECK(at.at("feed").starts_with("p:0+2~"));
  }
  bench.script->pages = {{"new", "a", "b", "c"}};
  PatientSource source(bench.open(at));
  auto reader = std::move(*source.reader(0));
  CHECK(texts(drain(*reader)) == std::vector<std::string>{"new", "a", "b", "c"});
  CHECK(bench.told_with(0, "other records than before") == 1);
}

TEST_CASE("A position that nobody wrote does not lose records") {
  for (const char* text : {"", "0", "+", "~", "p:0+~", "p:0+5~zz", "p:0+999~0", "p:0+1~0"}) {
    Bench bench;
    bench.script->pages = {{"a", "b"}};
    PatientSource source(bench.open({{"feed", text}}));
    auto reader = std::move(*source.reader(0));
    INFO(text);
    CHECK(texts(drain(*reader)) == std::vector<std::string>{"a", "b"});
  }
}

TEST_CASE("Nothing is fetched before what came earlier is committed") {
  Bench bench;
  bench.commit_first = true;
  bench.script->pages = {{"a"}, {"b"}};
  auto source = bench.open();
  auto reader = std::move(*source->reader(0));
  std::vector<SeenRecord> seen;
  bench.wait_for([&] { return pull_once(*reader, seen) == Pull::data; });
  // Read, not committed: a thread that did not care would have asked in this time.
  for (int i = 0; i < 20; ++i) {
    RawBatch none;
    CHECK(reader->pull({10, Duration::from_millis(5)}, none).value() == Pull::idle);
  }
  CHECK(bench.script->asked == 1);
  CHECK(source->acknowledge(1, positions_of(*reader)));
  bench.wait_for([&] { return pull_once(*reader, seen) == Pull::data; });
  CHECK(texts(seen) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("An outage is told once, and that it is over once") {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.script->errors.push_back(for_now("nobody answers"));
  bench.script->pages = {{"a"}};
  bench.script->endless = true;
  auto source = bench.open();
  auto reader = std::move(*source->reader(0));
  std::vector<SeenRecord> seen;
  bench.wait_for([&] { return pull_once(*reader, seen) == Pull::data; });
  CHECK(texts(seen) == std::vector<std::string>{"a"});
  CHECK(bench.told_with(1, "nobody answers; trying again") == 1);
  CHECK(bench.told_with(0, "healed: the far side answers again") == 1);
}

TEST_CASE("A far side that comes and goes is one outage until it has settled") {
  Bench bench;
  bench.settle = Duration::from_seconds(5);
  bench.script->endless = true;
  bench.script->errors.push_back(for_now("gone"));
  auto source = bench.open();
  auto reader = std::move(*source->reader(0));
  bench.wait_for([&] { return bench.told_with(1, "gone") == 1; });
  for (int flap = 0; flap < 3; ++flap) {
    const int before = bench.script->asked;
    {
      const std::lock_guard lock(bench.script->mutex);
      bench.script->errors.push_back(for_now("gone"));
    }
    bench.wait_for([&] { return bench.script->asked >= before + 2; });
  }
  bench.wait_for([&] { return bench.told_with(0, "healed") == 1; });
  CHECK(bench.told_with(1, "gone") == 1);
}

TEST_CASE("Event time stands still while nobody answers") {
  Bench bench;
  bench.script->endless = true;
  auto source = bench.open();
  auto reader = std::move(*source->reader(0));
  std::vector<PartitionState> states;
  CHECK(!reader->confirmed_at(bench.clock.monotonic()));
  bench.wait_for([&] {
    states.clear();
    reader->partitions(states);
    return states.at(0).caught_up;
  });
  {
    const std::lock_guard lock(bench.script->mutex);
    for (int i = 0; i < 100; ++i) bench.script->errors.push_back(for_now("gone"));
  }
  bench.wait_for([&] { return bench.told_with(1, "gone") == 1; });
  reader->partitions(states);
  const auto known = reader->confirmed_at(bench.clock.monotonic());
  REQUIRE(known);
  bench.clock.advance(Duration::from_seconds(100));
  reader->partitions(states);
  CHECK(reader->confirmed_at(bench.clock.monotonic()) == known);
}

TEST_CASE("An error that does not heal comes after the records before it") {
  Bench bench;
  bench.script->pages = {{"a"}, {"b"}};
  auto source = bench.open();
  auto reader = std::move(*source->reader(0));
  std::vector<SeenRecord> seen;
  bench.wait_for([&] { return pull_once(*reader, seen) == Pull::data; });
  source->close();

  Bench broken;
  broken.script->errors.push_back({ErrorKind::external, Retry::never, "the key is wrong", "mend"});
  PatientSource bad(broken.open());
  auto bad_reader = std::move(*bad.reader(0));
  RawBatch batch;
  const auto pulled = bad_reader->pull({}, batch);
  REQUIRE(!pulled);
  CHECK(pulled.error().message == "the key is wrong");
  CHECK(pulled.error().retry == Retry::never);
}

TEST_CASE("A record that is too long is a fault that shows its beginning") {
  Bench bench;
  bench.max_record = 100'000;
  bench.script->pages = {{std::string(100'000, 'x'), std::string(100'001, 'y')}};
  PatientSource source(bench.open());
  auto reader = std::move(*source.reader(0));
  const auto seen = drain(*reader);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].fault.empty());
  CHECK(seen[1].fault == "too-long");
  CHECK(seen[1].data == std::string(kFaultBytes, 'y'));
}

TEST_CASE("Content gives the same record the same number and another one another") {
  const std::vector<std::string> page = {"a", "b", "a", "c", "a", ""};
  const auto numbers = [](std::uint64_t seed, const std::vector<std::string>& text) {
    std::vector<RawRecord> records;
    for (const auto& t : text) records.push_back({t});
    number_by_content(seed, records);
    std::vector<std::uint64_t> out;
    for (const auto& r : records) out.push_back(r.position);
    return out;
  };
  const auto first = numbers(1, page);
  CHECK(first == numbers(1, page));
  CHECK(std::set<std::uint64_t>(first.begin(), first.end()).size() == page.size());
  const auto other_pass = numbers(2, page);
  for (const auto n : other_pass) CHECK(std::find(first.begin(), first.end(), n) == first.end());
  // Something new in front changes no other number.
  const auto shifted = numbers(1, {"new", "a", "b", "a"});
  CHECK(shifted[1] == first[0]);
  CHECK(shifted[2] == first[1]);
  CHECK(shifted[3] == first[2]);
}

TEST_CASE("Closing a feed ends its thread while it waits") {
  Bench bench;
  bench.script->errors.push_back(for_now("gone"));
  auto source = bench.open();
  auto reader = std::move(*source->reader(0));
  bench.wait_for([&] { return bench.told_with(1, "gone") == 1; });
  source->close();
  const int asked = bench.script->asked;
  bench.clock.advance(Duration::from_seconds(1000));
  RawBatch none;
  CHECK(reader->pull({10, Duration::from_millis(50)}, none).value() == Pull::idle);
  CHECK(bench.script->asked == asked);
}
