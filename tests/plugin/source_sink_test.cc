// SPDX-License-Identifier: Apache-2.0
#include "engine/core/clock.h"
#include "tests/contract/sink_contract.h"
#include "tests/contract/source_contract.h"
#include "tests/plugin/subject.h"

namespace streamd::test {
namespace {

const ManualClock kClock{EventTime{1'700'000'000'000'000}};

std::unique_ptr<Source> open_feed(const Positions& positions, std::size_t max_record = 1000) {
  const Registry registry = subject_registry();
  Diagnostics problems;
  const auto plan = make_plan(registry.sources(), "feed", map_of({}), problems);
  REQUIRE(problems.errors() == 0);
  SourceContext context;
  context.node = "in";
  context.clock = &kClock;
  context.resume_at = positions;
  context.max_record = max_record;
  return std::move(*plan->open(context));
}

struct World {
  explicit World(std::vector<std::string> feed = {}) {
    subject_world() = {};
    subject_world().feed = std::move(feed);
  }
};

TEST_CASE("a plugin's source goes on where its position says", "[plugin]") {
  const World world({"a", "b", "c", "d", "e"});
  check_resume([](const Positions& positions) { return open_feed(positions); }, 2);
  CHECK(subject_world().closed > 0);
}

TEST_CASE("a plugin's source is one reader, on the first worker", "[plugin]") {
  const World world({"a"});
  auto source = open_feed({});
  auto second = std::move(*source->reader(1));
  std::vector<SeenRecord> seen;
  CHECK(pull_once(*second, seen) == Pull::end);
  auto first = std::move(*source->reader(0));
  CHECK(drain(*first).size() == 1);
}

TEST_CASE("a record of a plugin that is too long is shortened and marked", "[plugin]") {
  const World world({"short", "much too long"});
  auto source = open_feed({}, 5);
  auto reader = std::move(*source->reader(0));
  const auto seen = drain(*reader);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].fault.empty());
  CHECK(seen[1].data == "much ");
  CHECK(seen[1].fault == "too-long");
}

TEST_CASE("a plugin's source that is not ready is asked again", "[plugin]") {
  const World world({"a"});
  subject_world().refusals = 2;
  auto source = open_feed({});
  auto reader = std::move(*source->reader(0));
  RawBatch batch;
  for (int i = 0; i < 2; ++i) {
    const auto pulled = reader->pull({10, Duration{}}, batch);
    REQUIRE_FALSE(pulled);
    CHECK(pulled.error().retry == Retry::backoff);
    CHECK(pulled.error().hint == "Start it.");
  }
  CHECK(reader->pull({10, Duration{}}, batch).value() == Pull::data);
}

TEST_CASE("a plugin's source hears what is safe, on its own thread", "[plugin]") {
  const World world({"a", "b"});
  subject_world().endless = true;
  auto source = open_feed({});
  auto reader = std::move(*source->reader(0));
  drain(*reader);
  const Positions positions = positions_of(*reader);
  REQUIRE(source->acknowledge(7, positions));
  CHECK(subject_world().acknowledged.empty());
  RawBatch batch;
  CHECK(reader->pull({10, Duration{}}, batch).value() == Pull::idle);
  CHECK(subject_world().acknowledged == std::vector<std::string>{"2"});
}

struct KeepSink {
  std::unique_ptr<SinkPlan> plan;
  KeepSink() {
    const Registry registry = subject_registry();
    Diagnostics problems;
    plan = make_plan(registry.sinks(), "keep", map_of({{"value", scalar("n")}}), problems);
    Schema in;
    in.fields = {{"n", Type::any}, {"name", Type::string}};
    plan->bind(in, problems);
    REQUIRE(problems.errors() == 0);
  }
  std::unique_ptr<Sink> open() const {
    SinkContext context;
    context.node = "out";
    context.pipeline = "test";
    context.clock = &kClock;
    return std::move(*plan->open(context));
  }
};

Batch two_records(int n) {
  return batch_of({{Value::int64(n), Value::int64(n + 100)},
                   {Value::string("first"), Value::string("second")}});
}

TEST_CASE("a plugin's sink holds to the contract", "[plugin]") {
  const World world;
  const KeepSink keep;
  check_sink({[&](const std::string&) { return keep.open(); },
              [] {
                std::string all;
                for (std::size_t i = 0; i < subject_world().durable; ++i)
                  all += subject_world().written[i] + "\n";
                return all;
              },
              two_records, false});
}

TEST_CASE("a plugin's sink gets columns, identities and whole records", "[plugin]") {
  const World world;
  const KeepSink keep;
  Collector out;
  const auto first = keep.open();
  REQUIRE(first->write(two_records(1), out));
  REQUIRE(subject_world().written.size() == 2);
  const std::string line = subject_world().written[1];
  CHECK(line.substr(32) == R"( 101 {"n":101,"name":"second"})");
  const auto again = keep.open();
  REQUIRE(again->write(two_records(1), out));
  CHECK(subject_world().written[3] == line);
  CHECK(subject_world().written[0].substr(0, 32) != line.substr(0, 32));
}

TEST_CASE("records that a plugin's sink refuses become dead letters", "[plugin]") {
  const World world;
  const KeepSink keep;
  Collector out;
  const auto sink = keep.open();
  REQUIRE(sink->write(
      batch_of({{Value::string("x"), Value::int64(1)}, {Value::string("a"), Value::string("b")}}),
      out));
  REQUIRE(out.rejected.size() == 1);
  CHECK(out.rejected[0].code == "no-number");
  CHECK(subject_world().written.size() == 1);
}

TEST_CASE("a batch that a plugin's sink could not take comes again", "[plugin]") {
  const World world;
  const KeepSink keep;
  Collector out;
  const auto sink = keep.open();
  subject_world().refusals = 1;
  const Status refused = sink->write(two_records(1), out);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retry == Retry::backoff);
  REQUIRE(sink->write(two_records(1), out));
  CHECK(subject_world().written.size() == 2);
}

}  // namespace
}  // namespace streamd::test
