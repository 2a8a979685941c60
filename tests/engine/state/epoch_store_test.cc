// SPDX-License-Identifier: Apache-2.0
#include "engine/state/epoch_store.h"

#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

using namespace streamd;

namespace {

std::unique_ptr<EpochStore> open(const std::string& dir, std::uint64_t seed = 7) {
  auto backend = open_rocksdb_backend(dir);
  REQUIRE(backend);
  auto store = EpochStore::open(std::move(*backend), seed);
  REQUIRE(store);
  return std::move(*store);
}

std::map<std::string, std::string> state_of(EpochStore& store, const std::string& node,
                                            unsigned first = 0, unsigned last = 255) {
  std::map<std::string, std::string> rows;
  REQUIRE(store.reader(node, first, last)
              ->scan([&](unsigned group, std::string_view k, std::string_view v) -> Status {
                rows[std::to_string(group) + ":" + std::string(k)] = std::string(v);
                return {};
              }));
  return rows;
}

EpochParts parts_with(EpochStore& store, const std::string& node, const std::string& value) {
  EpochParts parts;
  store.writer(node, parts.state)->put(3, "key", value);
  parts.partitions["source"]["p/0"] = {"1:" + value, {42}};
  parts.sinks[{"out", 0}] = "length " + value;
  return parts;
}

}  // namespace

TEST_CASE("an epoch comes back whole after a restart", "[state]") {
  const test::TempDir dir;
  {
    auto store = open(dir / "db", 99);
    CHECK(store->is_new());
    REQUIRE(store->declare({{{"window"}, "by a"}}, {}));
    auto parts = parts_with(*store, "window", "one");
    store->writer("window", parts.state)->put(200, "other", "x");
    REQUIRE(store->commit(1, parts));
  }
  auto store = open(dir / "db", 5);
  CHECK_FALSE(store->is_new());
  CHECK(store->hash_seed() == 99);
  CHECK(store->last_epoch() == 1);
  REQUIRE(store->declare({{{"window"}, "by a"}}, {}));
  CHECK(state_of(*store, "window").size() == 2);
  CHECK(state_of(*store, "window", 0, 127) == std::map<std::string, std::string>{{"3:key", "one"}});
  const auto partitions = store->partitions("source");
  REQUIRE(partitions);
  CHECK(partitions->at("p/0").position == "1:one");
  CHECK(partitions->at("p/0").max_time == EventTime{42});
  CHECK(**store->sink_state("out", 0) == "length one");
  CHECK(store->partitions("sourc")->empty());
}

TEST_CASE("the position of a partition that is over goes with the epoch that says so", "[state]") {
  const test::TempDir dir;
  auto store = open(dir / "db");
  REQUIRE(store->declare({{{"window"}, "by a"}}, {}));
  REQUIRE(store->commit(1, parts_with(*store, "window", "one")));
  auto parts = parts_with(*store, "window", "two");
  parts.partitions["source"] = {{"p/1", {"1:two", {43}}}};
  parts.over["source"] = {"p/0"};
  REQUIRE(store->prepare(2, parts));
  CHECK(store->partitions("source")->contains("p/0"));
  REQUIRE(store->finish(2));
  CHECK(store->partitions("source")->size() == 1);
  CHECK(store->partitions("source")->contains("p/1"));
}

TEST_CASE("a prepared epoch counts only when the far side has committed it", "[state]") {
  for (const bool committed : {true, false}) {
    const test::TempDir dir;
    {
      auto store = open(dir / "db");
      REQUIRE(store->declare({{{"window"}, "by a"}}, {}));
      REQUIRE(store->commit(1, parts_with(*store, "window", "one")));
      REQUIRE(store->prepare(2, parts_with(*store, "window", "two")));
    }
    auto store = open(dir / "db");
    REQUIRE(store->prepared() == Epoch{2});
    CHECK(store->last_epoch() == 1);
    REQUIRE(store->resolve(committed));
    REQUIRE(store->declare({{{"window"}, "by a"}}, {}));
    CHECK(store->last_epoch() == (committed ? 2u : 1u));
    CHECK(state_of(*store, "window").at("3:key") == (committed ? "two" : "one"));
    CHECK(**store->sink_state("out", 0) == (committed ? "length two" : "length one"));
    CHECK_FALSE(store->prepared().has_value());
  }
}

TEST_CASE("a changed operator is refused with what changed, and reset drops its state", "[state]") {
  const test::TempDir dir;
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare({{{"window"}, "by client"}}, {}));
    REQUIRE(store->commit(1, parts_with(*store, "window", "one")));
  }
  auto store = open(dir / "db");
  const auto refused = store->declare({{{"window"}, "by host"}}, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("\"window\"") != std::string::npos);
  CHECK(refused.error().message.find("by client") != std::string::npos);
  CHECK(refused.error().message.find("by host") != std::string::npos);
  CHECK(refused.error().hint.find("--reset-state window") != std::string::npos);

  auto anew = EpochStore::open(make_memory_backend(), 1);
  store.reset();
  store = open(dir / "db");
  REQUIRE(store->declare({{{"window"}, "by host"}}, {"window"}));
  CHECK(state_of(*store, "window").empty());
}

TEST_CASE("a sink that keeps something comes back, one that keeps nothing may become anything",
          "[state]") {
  const test::TempDir dir;
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare_sinks({{"chat", "discord"}, {"shown", "stdout"}}, {}));
    EpochParts parts;
    parts.sinks[{"chat", 1}] = "1:512";
    parts.sinks[{"shown", 0}] = "";
    REQUIRE(store->commit(1, parts));
  }
  const auto store = open(dir / "db");
  REQUIRE(store->declare_sinks({{"chat", "discord"}, {"shown", "file"}}, {}));
  CHECK(store->sink_state("chat", 1).value() == "1:512");
}

TEST_CASE("a sink of another type is refused until what the old one kept is dropped", "[state]") {
  const test::TempDir dir;
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare_sinks({{"chat", "discord"}}, {}));
    EpochParts parts;
    parts.sinks[{"chat", 1}] = "1:512";
    REQUIRE(store->commit(1, parts));
  }
  {
    auto store = open(dir / "db");
    const auto refused = store->declare_sinks({{"chat", "mongodb"}}, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("was of type discord and is of type mongodb") !=
          std::string::npos);
    CHECK(refused.error().hint.find("--reset-state chat") != std::string::npos);
  }
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare_sinks({{"chat", "mongodb"}}, {"chat"}));
    CHECK_FALSE(store->sink_state("chat", 1).value().has_value());
    REQUIRE(store->commit(2, {}));
  }
  const auto store = open(dir / "db");
  REQUIRE(store->declare_sinks({{"chat", "mongodb"}}, {}));
  CHECK_FALSE(store->sink_state("chat", 1).value().has_value());
}

TEST_CASE("names that share state and part each go on with all of it", "[state]") {
  const test::TempDir dir;
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare({{{"few", "many"}, "by a"}}, {}));
    REQUIRE(store->commit(1, parts_with(*store, "few", "both")));
  }
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare({{{"few"}, "by a"}, {{"many"}, "by a"}}, {}));
    CHECK(state_of(*store, "few").at("3:key") == "both");
    CHECK(state_of(*store, "many").at("3:key") == "both");
    // Only the one changes.
    REQUIRE(store->commit(2, parts_with(*store, "many", "alone")));
  }
  auto store = open(dir / "db");
  REQUIRE(store->declare({{{"few"}, "by a"}, {{"many"}, "by a"}}, {}));
  CHECK(state_of(*store, "few").at("3:key") == "both");
  CHECK(state_of(*store, "many").at("3:key") == "alone");
}

TEST_CASE("who is left of those that share state keeps it", "[state]") {
  const test::TempDir dir;
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare({{{"few", "many"}, "by a"}}, {}));
    REQUIRE(store->commit(1, parts_with(*store, "few", "both")));
  }
  {
    auto store = open(dir / "db");
    // One changes and begins anew, one joins.
    REQUIRE(store->declare({{{"few"}, "by b"}, {{"new", "many"}, "by a"}}, {"few"}));
    CHECK(state_of(*store, "few").empty());
    CHECK(state_of(*store, "new").at("3:key") == "both");
    REQUIRE(store->commit(2, parts_with(*store, "few", "other")));
  }
  auto store = open(dir / "db");
  const auto half = store->declare({{{"few"}, "by b"}, {{"new", "many"}, "by a"}}, {"many"});
  REQUIRE_FALSE(half);
  CHECK(half.error().message == "operators new, many share their state");
  REQUIRE(store->declare({{{"few"}, "by b"}, {{"new", "many"}, "by a"}}, {"many", "new"}));
  CHECK(state_of(*store, "few").at("3:key") == "other");
  CHECK(state_of(*store, "new").empty());
}

TEST_CASE("a namesake of a removed operator does not adopt its state", "[state]") {
  const test::TempDir dir;
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare({{{"window"}, "by a"}}, {}));
    REQUIRE(store->commit(1, parts_with(*store, "window", "one")));
  }
  {
    auto store = open(dir / "db");
    REQUIRE(store->declare({{{"other"}, "by a"}}, {}));
    REQUIRE(store->commit(2, parts_with(*store, "other", "two")));
  }
  auto store = open(dir / "db");
  REQUIRE(store->declare({{{"window"}, "by a"}, {{"other"}, "by a"}}, {}));
  CHECK(state_of(*store, "window").empty());
  CHECK(state_of(*store, "other").at("3:key") == "two");
}

TEST_CASE("state of a newer version is refused", "[state]") {
  auto backend = make_memory_backend();
  ChangeSet header;
  header.put("f", "2");
  header.put("h", "1");
  REQUIRE(backend->write(header));
  const auto store = EpochStore::open(std::move(backend), 1);
  REQUIRE_FALSE(store);
  CHECK(store.error().message.find("newer streamd") != std::string::npos);
  CHECK_FALSE(store.error().hint.empty());
}

TEST_CASE("rows without a format version are damage, not a fresh start", "[state]") {
  auto backend = make_memory_backend();
  ChangeSet rows;
  rows.put("e", "5");
  REQUIRE(backend->write(rows));
  const auto store = EpochStore::open(std::move(backend), 1);
  REQUIRE_FALSE(store);
  CHECK(store.error().message.find("damaged") != std::string::npos);
}
