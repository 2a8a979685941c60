// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/outage.h"

#include "tests/support/catch.h"

#include <vector>

using namespace streamd;
using namespace streamd::kafka;

namespace {

struct Lines {
  std::vector<std::pair<int, std::string>> all;
  Outage::Log log() {
    return [this](int level, const std::string& text) { all.emplace_back(level, text); };
  }
};

Duration seconds(std::int64_t s) { return Duration::from_seconds(s); }

}  // namespace

TEST_CASE("an outage is told once, and once that it is over", "[kafka]") {
  Shared shared;
  Lines lines;
  Health health(Outage::of(shared, "kafka:9092"), lines.log());
  CHECK(health.healthy());
  health.suspect("connection refused");
  CHECK_FALSE(health.healthy());
  for (int s = 10; s < 20; ++s) health.probed(false, "timed out", seconds(s));
  REQUIRE(lines.all.size() == 1);
  CHECK(lines.all[0].first == 1);
  CHECK(lines.all[0].second ==
        "no Kafka broker of kafka:9092 answers (connection refused); trying again");
  health.probed(true, "", seconds(20));
  CHECK(health.healthy());
  health.probed(true, "", seconds(23));
  REQUIRE(lines.all.size() == 2);
  CHECK(lines.all[1].first == 0);
  CHECK(lines.all[1].second == "healed: Kafka at kafka:9092 answers again after 10.0 s");
}

TEST_CASE("a short hiccup is not told", "[kafka]") {
  Shared shared;
  Lines lines;
  Health health(Outage::of(shared, "kafka:9092"), lines.log());
  health.suspect("disconnected");
  health.probed(false, "x", seconds(10));
  health.probed(false, "x", seconds(11));
  health.probed(true, "", seconds(12));
  CHECK(lines.all.empty());
}

TEST_CASE("several clients of one cluster tell an outage once together", "[kafka]") {
  Shared shared;
  Lines lines;
  Health a(Outage::of(shared, "kafka:9092"), lines.log());
  Health b(Outage::of(shared, "kafka:9092"), lines.log());
  for (int s = 10; s < 15; ++s) {
    a.probed(false, "gone", seconds(s));
    b.probed(false, "gone", seconds(s));
  }
  CHECK(lines.all.size() == 1);
  a.probed(true, "", seconds(15));
  CHECK(lines.all.size() == 1);
  b.probed(true, "", seconds(16));
  CHECK(lines.all.size() == 2);
}

TEST_CASE("who told that a cluster is away tells that it is back", "[kafka]") {
  Shared shared;
  Lines first, second;
  Health a(Outage::of(shared, "kafka:9092"), first.log());
  {
    Health b(Outage::of(shared, "kafka:9092"), second.log());
    Health gone(Outage::of(shared, "kafka:9092"), second.log());
    for (int s = 10; s < 15; ++s)
      for (Health* client : {&a, &b, &gone}) client->probed(false, "gone", seconds(s));
    a.probed(true, "", seconds(15));
    b.probed(true, "", seconds(16));
    CHECK(first.all.size() == 1);
  }
  // The last one that was away has ended without a word.
  CHECK(first.all.size() == 1);
  for (int s = 20; s < 25; ++s) a.probed(false, "gone", seconds(s));
  a.probed(true, "", seconds(25));
  CHECK(first.all.size() == 3);
  CHECK(second.all.empty());
}

TEST_CASE("probes are frequent in doubt and rare in peace", "[kafka]") {
  Shared shared;
  Lines lines;
  Health health(Outage::of(shared, "kafka:9092"), lines.log());
  health.probed(true, "", seconds(10));
  CHECK_FALSE(health.probe_due(seconds(11)));
  CHECK(health.probe_due(seconds(13)));
  CHECK(health.probe_due(seconds(11), true));
  health.ask_anew();
  CHECK(health.probe_due(seconds(10)));
  health.probed(true, "", seconds(10));
  health.suspect("x");
  CHECK(health.probe_due(seconds(11)));
}
