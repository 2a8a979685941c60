// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/health.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

constexpr Duration at(std::int64_t seconds) { return Duration::from_seconds(seconds); }

Health::Verdict look(const Health& health, std::int64_t seconds) {
  return health.look(at(seconds), at(60), at(1),
                     [](std::uint32_t node) { return node == 2 ? "busy" : "?"; });
}

// One worker that turns and epochs that are committed, until `seconds`.
void get_on(Health& health, std::int64_t seconds) {
  health.turns(0, at(seconds));
  health.committed(static_cast<Epoch>(seconds), at(seconds));
}

}  // namespace

TEST_CASE("a pipeline is well when its workers turn and epochs are committed", "[health]") {
  Health health(1, at(0));
  CHECK_FALSE(look(health, 3).well);
  CHECK(look(health, 3).lines.at(0) == "is starting since 3 s");
  health.started(at(5));
  CHECK(look(health, 5).well);
  get_on(health, 100);
  CHECK(look(health, 160).well);
  CHECK(look(health, 160).lines == std::vector<std::string>{"well: 1 worker, epoch 100"});
  health.stopping();
  CHECK(look(health, 160).lines == std::vector<std::string>{"stopping: 1 worker, epoch 100"});
}

TEST_CASE("a worker that does not come back from a node is told with the node", "[health]") {
  Health health(2, at(0));
  health.started(at(0));
  health.turns(0, at(0));
  CHECK(health.enters(0, 2) == Health::kNoNode);
  health.turns(1, at(70));
  health.committed(1, at(70));
  const auto verdict = look(health, 70);
  CHECK_FALSE(verdict.well);
  CHECK(verdict.lines ==
        std::vector<std::string>{"worker 0 has been busy with one batch in \"busy\" for 70 s"});
  health.enters(0, Health::kNoNode);
  health.turns(0, at(71));
  CHECK(look(health, 71).well);
}

TEST_CASE("epochs that are not committed are told", "[health]") {
  Health health(1, at(0));
  health.started(at(0));
  get_on(health, 9);
  health.turns(0, at(100));
  CHECK(look(health, 70).well);
  const auto verdict = look(health, 71);
  CHECK_FALSE(verdict.well);
  CHECK(verdict.lines ==
        std::vector<std::string>{"no checkpoint for 62 s; the last one is epoch 9"});
}

TEST_CASE("trouble that a node tells counts when it lasts, until it has healed", "[health]") {
  Health health(1, at(0));
  health.started(at(0));
  const auto heard = [&](int level, const std::string& text, std::int64_t when) {
    health.heard(level, text, at(when));
  };
  heard(1, "sink \"chat\": connection refused: \"x\": y; records wait in the outbox, trying again",
        10);
  get_on(health, 69);
  CHECK(look(health, 69).well);
  get_on(health, 75);
  const auto verdict = look(health, 75);
  CHECK_FALSE(verdict.well);
  CHECK(verdict.lines ==
        std::vector<std::string>{"sink \"chat\": connection refused: \"x\": y; records wait in the "
                                 "outbox, trying again (since 65 s)"});
  heard(1, "sink \"chat\": now it is something else; trying again", 74);  // since the first
  CHECK_FALSE(look(health, 75).well);
  heard(0, "sink \"other\": healed after 3.0 s", 75);
  CHECK_FALSE(look(health, 75).well);
  heard(0, "sink \"chat\": healed after 65.0 s", 75);
  CHECK(look(health, 75).well);
}

TEST_CASE("what the log is told beside trouble is no trouble", "[health]") {
  Health health(1, at(0));
  health.started(at(0));
  for (const char* text :
       {"source \"logs\": no file matches \"*.log\" yet; waiting for one", "no colon; trying again",
        "sink \"a\": 3 bytes of an earlier run wait in the outbox", "", "\"", "\": "})
    health.heard(1, text, at(0));
  health.heard(0, "source \"a\": it says; trying again", at(0));
  get_on(health, 500);
  CHECK(look(health, 500).well);
}

TEST_CASE("what it waits for is told from the start while it is starting", "[health]") {
  Health health(1, at(0));
  health.heard(1, "Kafka at localhost:9092: no broker answers; trying again", at(1));
  CHECK(look(health, 2).lines ==
        std::vector<std::string>{
            "is starting since 2 s",
            "Kafka at localhost:9092: no broker answers; trying again (since 1 s)"});
  health.heard(0, "Kafka at localhost:9092: healed", at(3));
  CHECK(look(health, 4).lines.size() == 1);
}
