// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/delivery_sink.h"
#include "tests/contract/sink_contract.h"
#include "tests/engine/io/delivery/fake_destination.h"

#include <array>

namespace streamd::delivery {
namespace {

using test::FarSide;
using test::Texts;

struct Opened {
  explicit Opened(DeliveryConfig given = {}) : config(given) {}
  std::unique_ptr<Sink> sink(const std::string& restored, When when = When::early) {
    SinkContext context;
    context.node = "out";
    context.pipeline = "p";
    context.state_dir = dir.path();
    context.clock = &clock;
    context.restored = restored;
    context.log = [this](int, const std::string& text) { log.push_back(text); };
    DeliveryOptions options;
    options.when = when;
    options.linger = {};
    auto sink = open_sink(context, config, options, std::make_unique<test::FakeDestination>(far));
    INFO((sink ? "" : sink.error().message));
    REQUIRE(sink);
    return std::move(*sink);
  }
  test::TempDir dir;
  FarSide far;
  ManualClock clock;
  DeliveryConfig config;
  Texts log;
};

Batch batch_of(const Texts& values) {
  Column column;
  for (const auto& value : values) column.push_back(Value::string(value));
  return test::batch_of({column});
}

// For every sink over it: only their protocols differ.
TEST_CASE("A sink over an outbox keeps the contract, early and committed") {
  for (const When when : {When::early, When::committed}) {
    Opened opened;
    std::size_t written = 0, awaited = 0;
    test::SinkUnderTest subject;
    subject.open = [&](const std::string& restored) { return opened.sink(restored, when); };
    subject.batch = [&](int n) {
      static const std::array<Texts, 3> batches{Texts{"1a", "1b"}, {"2a", "2b"}, {"3a", "3b"}};
      written += 2;
      return batch_of(batches[static_cast<std::size_t>(n) - 1]);
    };
    subject.far_side = [&] {
      // What is committed is sent for sure; the suite commits its first batch only.
      awaited = when == When::early ? written : std::size_t{2};
      REQUIRE(opened.far.wait_for(awaited));
      std::string all;
      for (const auto& document : opened.far.arrived()) all += document + "\n";
      return all;
    };
    test::check_sink(subject);
    CHECK(awaited == (when == When::early ? 6u : 2u));
  }
}

TEST_CASE("Records that cannot be encoded become dead letters, the others go") {
  Opened opened;
  auto sink = opened.sink("");
  const Texts values{"a", "bad", "b"};
  test::Collector out;
  REQUIRE(sink->write(batch_of(values), out));
  REQUIRE(opened.far.wait_for(2));
  CHECK(opened.far.arrived() == Texts{"a", "b"});
  REQUIRE(out.rejected.size() == 1);
  sink->close();
}

TEST_CASE("What waits at the end is told with its size") {
  Opened opened;
  auto sink = opened.sink("", When::committed);
  test::Collector out;
  REQUIRE(sink->write(batch_of({std::string(130'300, 'a')}), out));
  sink->close();
  REQUIRE(opened.log.size() == 1);
  CHECK(opened.log[0].ends_with(" KiB wait in the outbox and are sent after the next start"));
}

TEST_CASE("A record that the far side refuses becomes a dead letter with its own bytes") {
  Opened opened;
  opened.far.respond([](const Texts& d) { return test::refuse_all(d.size()); });
  auto sink = opened.sink("");
  const Texts values{"a"};
  test::Collector out;
  REQUIRE(sink->write(batch_of(values), out));
  REQUIRE(opened.far.wait([&] {
    REQUIRE(sink->tick(out));
    return !out.rejected.empty();
  }));
  // Until the dead letter is committed, a crash would send it again.
  REQUIRE(sink->barrier(1));
  REQUIRE(sink->prepared(1).value());
  const std::string state = sink->state(1);
  SECTION("a crash before the commit") {
    sink.reset();
    opened.far.respond(nullptr);
    sink = opened.sink(state);
    REQUIRE(opened.far.wait_for(1));
    CHECK(opened.far.arrived() == Texts{"a"});
  }
  SECTION("a crash after it") {
    sink->committed(1);
    sink.reset();
    opened.far.respond(nullptr);
    sink = opened.sink(state);
    REQUIRE(sink->drained().value());
    CHECK(opened.far.arrived().empty());
  }
}

TEST_CASE("A full outbox holds the pipeline back, or sheds, as the user says") {
  const Texts big{std::string(700'000, 'x')};
  DeliveryConfig config;
  config.outbox.size = ByteSize{1 << 20};
  test::Collector out;
  SECTION("wait") {
    Opened opened(config);
    opened.far.respond([](const Texts&) { return test::again(); });
    auto sink = opened.sink("");
    REQUIRE(sink->write(batch_of(big), out));
    const Status held = sink->write(batch_of(big), out);
    REQUIRE_FALSE(held);
    CHECK(held.error().retry == Retry::backoff);
    CHECK(held.error().message.empty());  // that the far side is away is told elsewhere
    opened.far.respond(nullptr);
    REQUIRE(opened.far.wait([&] {
      opened.clock.advance(Duration::from_seconds(60));
      return sink->write(batch_of(big), out).has_value();
    }));
    CHECK(out.dropped[DropReason::shed] == 0);
  }
  SECTION("drop") {
    config.outbox.when_full = WhenFull::drop;
    Opened opened(config);
    opened.far.respond([](const Texts&) { return test::again(); });
    auto sink = opened.sink("");
    REQUIRE(sink->write(batch_of(big), out));
    REQUIRE(sink->write(batch_of(big), out));
    CHECK(out.dropped[DropReason::shed] == 1);
  }
}

TEST_CASE("A record keeps its id, whatever run it belongs to, and others have others") {
  RecordIds ids("p"), later("p"), other("q");
  const Batch batch = batch_of({"a", "b"});
  const std::string first(ids.of(batch, 0));
  CHECK(first.size() == 32);
  CHECK(ids.of(batch, 1) != first);
  CHECK(ids.of(batch, 0) == first);
  CHECK(later.of(batch, 0) == first);
  CHECK(other.of(batch, 0) != first);
  const Batch elsewhere = batch.with_origin(std::make_shared<const Origin>(Origin{"another", "0"}));
  CHECK(ids.of(elsewhere, 0) != first);
}

}  // namespace
}  // namespace streamd::delivery
