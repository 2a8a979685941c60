// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/delivery.h"

#include "tests/engine/io/delivery/fake_destination.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>

namespace streamd::delivery {
namespace {

using test::FarSide;
using test::frames_of;
using test::Texts;

struct Rig {
  explicit Rig(DeliveryOptions given = {}, const std::string& restored = "") : options(given) {
    options.outbox.folder = dir.path() + "/outbox";
    options.linger = given.linger == Duration::from_millis(200) ? Duration{} : given.linger;
    open(restored);
  }
  void open(const std::string& restored) {
    delivery.reset();
    auto outbox = Outbox::open(options.outbox, restored);
    REQUIRE(outbox);
    delivery = std::make_unique<Delivery>(std::move(*outbox), destination, options, clock,
                                          [this](int level, const std::string& text) {
                                            const std::lock_guard lock(mutex);
                                            log.push_back(std::to_string(level) + " " + text);
                                          });
    delivery->start();
  }
  bool put(const Texts& documents) {
    return delivery->append(frames_of(documents, delivery->end())).value();
  }
  std::string commit() {
    const std::string state = delivery->state();
    REQUIRE(delivery->sync());
    delivery->committed(delivery->end());
    return state;
  }
  // Told so far; a line is added after the answer that it is about.
  Texts told(std::size_t lines) {
    REQUIRE(far.wait([&] {
      const std::lock_guard lock(mutex);
      return log.size() >= lines || (clock.advance(Duration::from_millis(100)), false);
    }));
    const std::lock_guard lock(mutex);
    return log;
  }

  test::TempDir dir;
  FarSide far;
  test::FakeDestination destination{far};
  ManualClock clock;
  DeliveryOptions options;
  std::mutex mutex;
  Texts log;
  std::unique_ptr<Delivery> delivery;
};

DeliveryOptions when(When when) {
  DeliveryOptions options;
  options.when = when;
  return options;
}

TEST_CASE("What may go early goes at once, in order") {
  Rig rig;
  REQUIRE(rig.put({"a", "b"}));
  REQUIRE(rig.put({"c"}));
  REQUIRE(rig.far.wait_for(3));
  CHECK(rig.far.arrived() == Texts{"a", "b", "c"});
  CHECK(rig.log.empty());
}

TEST_CASE("What has to be committed waits for it") {
  Rig rig(when(When::committed));
  REQUIRE(rig.put({"a"}));
  static_cast<void>(rig.commit());
  REQUIRE(rig.put({"b"}));
  REQUIRE(rig.far.wait_for(1));
  CHECK(rig.far.arrived() == Texts{"a"});
  CHECK_FALSE(rig.delivery->drained());
  static_cast<void>(rig.commit());
  REQUIRE(rig.far.wait_for(2));
}

TEST_CASE("An outbox that is full of one epoch is sent before its commit, or it would never end") {
  auto options = when(When::committed);
  options.outbox.limit = 1000;
  Rig rig(options);
  REQUIRE(rig.put({std::string(900, 'a')}));
  CHECK_FALSE(rig.put({std::string(900, 'b')}));
  REQUIRE(rig.far.wait_for(1));
  REQUIRE(rig.far.wait([&] { return rig.delivery->waiting() == 0; }));
  CHECK(rig.put({std::string(900, 'b')}));
}

TEST_CASE("A far side that is away for long is told once, and once when it is back") {
  Rig rig;
  rig.far.respond([](const Texts&) { return test::again(); });
  REQUIRE(rig.put({"a"}));
  REQUIRE(rig.put({"b"}));
  REQUIRE(rig.far.wait([&] {
    rig.clock.advance(Duration::from_seconds(60));
    return rig.far.requests() > 5;
  }));
  rig.far.respond(nullptr);
  const Texts told = rig.told(2);
  REQUIRE(told.size() == 2);
  CHECK(told[0].starts_with("1 connection refused"));
  CHECK(told[1].starts_with("0 healed after"));
  CHECK(rig.far.arrived() == Texts{"a", "b"});
}

TEST_CASE("A record that was not delivered before the end is delivered after the next start") {
  Rig rig;
  rig.far.respond([](const Texts&) { return test::again(); });
  REQUIRE(rig.put({"a"}));
  const std::string state = rig.commit();
  REQUIRE(rig.put({"not committed"}));
  rig.delivery->close();
  CHECK(rig.delivery->waiting() > 0);
  rig.far.respond(nullptr);
  rig.open(state);
  REQUIRE(rig.far.wait_for(1));
  REQUIRE(rig.far.wait([&] { return rig.delivery->waiting() == 0; }));
  CHECK(rig.far.arrived() == Texts{"a"});
}

TEST_CASE("What was delivered is not delivered again after a restart") {
  Rig rig(when(When::committed));
  REQUIRE(rig.put({"a"}));
  const std::string state = rig.commit();
  REQUIRE(rig.far.wait_for(1));
  REQUIRE(rig.far.wait([&] { return rig.delivery->waiting() == 0; }));
  rig.open(state);
  REQUIRE(rig.put({"b"}));
  static_cast<void>(rig.commit());
  REQUIRE(rig.far.wait_for(2));
  CHECK(rig.far.arrived() == Texts{"a", "b"});
}

TEST_CASE("A refused record stays in the outbox until its dead letter is committed") {
  Rig rig;
  rig.far.respond([](const Texts& d) { return test::refuse_all(d.size()); });
  REQUIRE(rig.put({"a"}));
  std::vector<Dispatch::Refused> refused;
  REQUIRE(rig.far.wait([&] {
    for (auto& r : rig.delivery->take_refused()) refused.push_back(std::move(r));
    return !refused.empty();
  }));
  CHECK(refused[0].item.document == "a");
  CHECK(rig.delivery->drained());
  CHECK(rig.delivery->waiting() > 0);
  rig.delivery->forget({refused[0].item.begin});
  CHECK(rig.delivery->waiting() == 0);
}

TEST_CASE("Records wait for others to go with them, until no more come") {
  DeliveryOptions options;
  options.linger = Duration::from_seconds(3600);
  options.batch_records = 3;
  Rig rig(options);
  REQUIRE(rig.put({"a", "b"}));
  REQUIRE(rig.put({"c", "d"}));
  REQUIRE(rig.far.wait_for(3));
  CHECK(rig.far.arrived() == Texts{"a", "b", "c"});
  REQUIRE(rig.far.wait([&] { return rig.delivery->drained(); }));
  CHECK(rig.far.arrived() == Texts{"a", "b", "c", "d"});
  CHECK(rig.far.requests() == 2);
}

TEST_CASE("Several requests at once lose nothing and repeat nothing") {
  DeliveryOptions options;
  options.concurrency = 4;
  options.batch_records = 7;
  Rig rig(options);
  rig.far.respond([n = 0](const Texts& documents) mutable {
    Answer answer;
    answer.items.resize(documents.size());
    if (++n % 3 == 0) answer.items.back().kind = Verdict::Kind::again;
    return answer;
  });
  Texts all;
  for (int i = 0; i < 500; ++i) {
    all.push_back(std::to_string(i));
    REQUIRE(rig.put({all.back()}));
  }
  REQUIRE(rig.far.wait([&] {
    rig.clock.advance(Duration::from_seconds(1));
    return rig.delivery->drained();
  }));
  Texts arrived = rig.far.arrived();
  std::sort(arrived.begin(), arrived.end());
  std::sort(all.begin(), all.end());
  CHECK(arrived == all);
}

// Never answers by itself.
class Hung final : public Destination {
 public:
  std::optional<Fault> encode(const Batch&, std::size_t, Item&) override { return std::nullopt; }
  Answer send(std::span<const Item>, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    ++requests;
    never.wait(lock, stop, [] { return false; });
    return test::again();
  }
  std::atomic<int> requests{0};
};

TEST_CASE("Far sides that hang are waited for at the same time") {
  constexpr int kMany = 8;
  test::TempDir dir;
  Hung hung;
  ManualClock clock;
  std::vector<std::unique_ptr<Delivery>> all;
  for (int i = 0; i < kMany; ++i) {
    DeliveryOptions options;
    options.linger = {};
    options.outbox.folder = dir.file(std::to_string(i));
    auto outbox = Outbox::open(options.outbox, "");
    REQUIRE(outbox);
    all.push_back(std::make_unique<Delivery>(std::move(*outbox), hung, options, clock,
                                             [](int, const std::string&) {}));
    all.back()->start();
    REQUIRE(all.back()->append(frames_of({"a"}, all.back()->end())).value());
  }
  REQUIRE(test::FarSide::wait([&] { return hung.requests == kMany; }));
  const auto begin = std::chrono::steady_clock::now();
  for (auto& delivery : all) delivery->stop();
  for (auto& delivery : all) {
    delivery->close();
    CHECK(delivery->waiting() > 0);
  }
  // One after the other it would be 16 s.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

}  // namespace
}  // namespace streamd::delivery
