// SPDX-License-Identifier: Apache-2.0
#include "operators/dedupe/fingerprint.h"
#include "operators/dedupe/seen_table.h"
#include "tests/operators/keyed_node.h"

#include <random>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

ConfigNode within_10s(std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {{"by", list_of({"k"})}, {"within", scalar("10s")}});
  return map_of(std::move(more));
}

std::vector<std::int64_t> passed(const KeyedNode& node) {
  std::vector<std::int64_t> seconds;
  for (const Batch& batch : node.node.out.batches)
    for (std::size_t i = 0; i < batch.size(); ++i)
      seconds.push_back(batch.time(i).micros / kSecond);
  return seconds;
}

Column ints(const std::vector<int>& numbers) {
  Column column;
  for (const int n : numbers) column.push_back(Value::int64(n));
  return column;
}

struct Oracle {
  struct Kept {
    int key;
    std::int64_t time;
  };
  std::vector<Kept> kept;
  bool passes(int key, std::int64_t time, std::int64_t within) {
    for (const Kept& k : kept)
      if (k.key == key && std::abs(k.time - time) < within) return false;
    kept.push_back({key, time});
    return true;
  }
};

}  // namespace

TEST_CASE("The first record of a key passes and those near it in time do not") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}));
  node.records({strings({"a", "a", "b", "a", "a"})},
               {0, 9 * kSecond, 9 * kSecond, 10 * kSecond, 19 * kSecond});
  CHECK(passed(node) == std::vector<std::int64_t>{0, 9, 10});
  CHECK(node.out().dropped[DropReason::duplicate] == 2);
}

TEST_CASE("A record from before the one that passed is its duplicate too") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}));
  node.records({strings({"a", "a", "a", "a"})},
               {100 * kSecond, 91 * kSecond, 90 * kSecond, 85 * kSecond});
  CHECK(passed(node) == std::vector<std::int64_t>{100, 90});
  CHECK(node.out().dropped[DropReason::duplicate] == 2);
}

TEST_CASE("After silence only a key that was quiet passes again") {
  KeyedNode node("dedupe", within_10s({{"keep", scalar("after_silence")}}), open_schema({"k"}));
  node.records({strings({"a", "a", "a", "a"})}, {0, 8 * kSecond, 16 * kSecond, 26 * kSecond});
  CHECK(passed(node) == std::vector<std::int64_t>{0, 26});
  node.checkpoint();
  node.restart(2);
  node.records({strings({"a"})}, {35 * kSecond});
  CHECK(node.out().dropped[DropReason::duplicate] == 3);
}

TEST_CASE("Late records pass when what they might repeat is forgotten") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}));
  node.records({strings({"a"})}, {50 * kSecond});
  const EventTime floor{60 * kSecond};
  node.records({strings({"a", "a"})}, {49 * kSecond, 49 * kSecond}, floor);
  CHECK(passed(node) == std::vector<std::int64_t>{50, 49, 49});
  node.records({strings({"a", "a"})}, {55 * kSecond, 55 * kSecond}, floor);
  CHECK(passed(node).size() == 4);
}

TEST_CASE("Null is a value, a missing field is none") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}));
  node.records({{Value::null(), Value::missing(), Value::null(), Value::string("")}}, {0, 0, 0, 0});
  CHECK(passed(node).size() == 2);
  CHECK(node.out().dropped[DropReason::duplicate] == 1);
  REQUIRE(node.out().rejected.size() == 1);
  CHECK(node.out().rejected[0].row == 1);
  CHECK(node.out().rejected[0].code == "missing-field");
}

TEST_CASE("Keys can be expressions, and meet on one worker all the same") {
  const ConfigNode fields =
      map_of({{"by", list_of({"k.lowerAscii()", "n"})}, {"within", scalar("1m")}});
  for (const unsigned workers : {1u, 3u}) {
    KeyedNode node("dedupe", fields, open_schema({"k", "n"}), workers);
    CHECK(node.node.plan->key_fields() == std::vector<std::string>{"k.lowerAscii()", "n"});
    node.records({strings({"Abc", "aBC", "abd", nullptr}), ints({1, 1, 1, 1})}, {0, 1, 2, 3});
    CHECK(node.out().dropped[DropReason::duplicate] == 1);
    REQUIRE(node.out().rejected.size() == 1);
    CHECK(node.out().rejected[0].code == "expression");
  }
}

TEST_CASE("Keys outlive a kill and find their worker when their number changes") {
  std::mt19937 random(7);
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}), 2);
  Oracle oracle;
  std::size_t expected = 0, sent = 0;
  std::int64_t now = 0;
  for (int round = 0; round < 120; ++round) {
    Column keys;
    std::vector<std::int64_t> times;
    for (int i = 0; i < 20; ++i) {
      now += static_cast<std::int64_t>(random() % (kSecond / 4));
      const int key = static_cast<int>(random() % 60);
      const std::int64_t time = now - static_cast<std::int64_t>(random() % (3 * kSecond));
      keys.push_back(Value::int64(key));
      times.push_back(time);
      if (oracle.passes(key, time, 10 * kSecond)) ++expected;
      ++sent;
    }
    node.records({keys}, times);
    node.watermark(now - 3 * kSecond);
    node.checkpoint();
    if (round % 5 == 4) node.restart(1 + random() % 4);
  }
  CHECK(passed(node).size() == expected);
  CHECK(node.out().dropped[DropReason::duplicate] == sent - expected);
  CHECK(node.live_keys() <= 60 * 3);
}

TEST_CASE("What was not in the last checkpoint is forgotten with the records that follow it") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}));
  node.records({strings({"a"})}, {0});
  node.checkpoint();
  node.records({strings({"b"})}, {0});
  node.restart(1);
  node.records({strings({"a", "b"})}, {1, 1});
  CHECK(passed(node).size() == 3);
}

TEST_CASE("Expired keys leave memory and disk") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}), 2);
  std::size_t most_rows = 0;
  for (int second = 0; second < 200; ++second) {
    Column keys;
    for (int i = 0; i < 50; ++i) keys.push_back(Value::int64(second * 50 + i));
    node.records({keys}, std::vector<std::int64_t>(50, second * kSecond));
    node.watermark(second * kSecond);
    node.checkpoint();
    CHECK(node.live_keys() <= 50 * 13);
    most_rows = std::max(most_rows, node.rows.size());
  }
  CHECK(most_rows <= 2 * 16);
  node.restart(3);
  CHECK(node.live_keys() <= 50 * 16);
}

TEST_CASE("The end of the input forgets nothing") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}));
  node.records({strings({"a"})}, {0});
  node.watermark(INT64_MAX);
  node.checkpoint();
  node.restart(1);
  node.records({strings({"a"})}, {kSecond});
  CHECK(node.out().dropped[DropReason::duplicate] == 1);
}

TEST_CASE("A full node refuses new keys, or forgets the oldest") {
  KeyedNode refusing("dedupe", within_10s({{"max_keys", scalar("3")}}), open_schema({"k"}));
  refusing.records({strings({"a", "b", "c", "d", "a"})}, {0, 1, 2, 3, 4});
  CHECK(refusing.out().dropped[DropReason::shed] == 1);
  CHECK(refusing.out().dropped[DropReason::duplicate] == 1);
  refusing.watermark(10 * kSecond + 1);
  refusing.records({strings({"d"})}, {10 * kSecond + 2});
  CHECK(refusing.out().dropped[DropReason::shed] == 1);

  KeyedNode evicting("dedupe",
                     within_10s({{"max_keys", scalar("3")}, {"on_full", scalar("evict")}}),
                     open_schema({"k"}));
  evicting.records({strings({"a", "b", "c", "d", "d", "c"})}, {0, 1, 2, 3, 4, 5});
  CHECK(passed(evicting).size() == 4);
  CHECK(evicting.live_keys() == 3);
  evicting.records({strings({"a"})}, {6});
  CHECK(passed(evicting).size() == 5);
}

TEST_CASE("A restart does not bring back what was evicted") {
  for (const char* keep : {"first", "after_silence"}) {
    CAPTURE(keep);
    KeyedNode node(
        "dedupe",
        within_10s(
            {{"max_keys", scalar("100")}, {"on_full", scalar("evict")}, {"keep", scalar(keep)}}),
        open_schema({"k"}));
    for (int round = 0; round < 20; ++round) {
      Column keys;
      std::vector<std::int64_t> times;
      for (int i = 0; i < 50; ++i) {
        keys.push_back(Value::int64(round * 50 + i));
        times.push_back(round * 50 + i);
      }
      node.records({keys}, times);
      node.checkpoint();
    }
    CHECK(node.live_keys() <= 100);
    node.restart(1);
    CHECK(node.live_keys() <= 100);
    node.records({ints({999, 950, 0, 500})}, {1000, 1000, 1000, 1000});
    CHECK(node.out().dropped[DropReason::duplicate] == 2);
    CHECK(passed(node).size() == 1002);
  }
}

TEST_CASE("Damaged and unknown rows stop the start") {
  KeyedNode node("dedupe", within_10s(), open_schema({"k"}));
  node.records({strings({"a", "b"})}, {0, 1});
  node.checkpoint();
  REQUIRE(node.rows.size() == 1);
  const std::string good = node.rows.begin()->second;
  for (std::size_t size = 0; size < good.size(); ++size) {
    node.rows.begin()->second = good.substr(0, size);
    CHECK(node.restart_error() == "the remembered keys are damaged");
  }
  node.rows.begin()->second = '\7' + good.substr(1);
  CHECK(node.restart_error() == "the remembered keys have an unknown version");
  node.rows.begin()->second = good;
  CHECK(node.restart_error().empty());
}

TEST_CASE("Wrong settings of dedupe are reported") {
  Schema closed = open_schema({"host"});
  closed.open = false;
  const auto errors = [&](const ConfigNode& fields) {
    const OperatorFixture f("dedupe", fields, closed);
    return f.problems.errors();
  };
  CHECK(errors(map_of({{"by", list_of({"host"})}, {"within", scalar("1m")}})) == 0);
  const OperatorFixture near("dedupe",
                             map_of({{"by", list_of({"hots"})}, {"within", scalar("1m")}}), closed);
  REQUIRE(near.problems.errors() == 1);
  CHECK(near.problems.all()[0].hint == "Did you mean \"host\"?");
  CHECK(errors(map_of({{"by", list_of({"host +"})}, {"within", scalar("1m")}})) == 1);
  CHECK(errors(map_of({{"by", list_of({"host", "host"})}, {"within", scalar("1m")}})) == 1);
  CHECK(errors(map_of({{"by", list_of({})}, {"within", scalar("1m")}})) == 1);
  CHECK(errors(map_of({{"by", list_of({"host"})}, {"within", scalar("0s")}})) == 1);
  CHECK(errors(map_of({{"by", list_of({"host"})}})) == 1);
}

TEST_CASE("Fingerprints are those of SipHash-2-4-128") {
  const std::uint64_t key0 = 0x0706050403020100ull, key1 = 0x0f0e0d0c0b0a0908ull;
  const auto none = dedupe::fingerprint("", key0, key1);
  CHECK(none.low == 0xe6a825ba047f81a3ull);
  CHECK(none.high == 0x930255c71472f66dull);
  const auto one = dedupe::fingerprint(std::string_view("\0", 1), key0, key1);
  CHECK(one.low == 0x44af996bd8c187daull);
  CHECK(one.high == 0x45fc229b11597634ull);
}

TEST_CASE("A remembered key costs at most 64 bytes") {
  dedupe::SeenTable seen(60 * kSecond);
  for (std::uint64_t n = 0; n < 400'000; ++n) {
    const dedupe::Fingerprint key =
        dedupe::fingerprint({reinterpret_cast<const char*>(&n), sizeof n}, 1, 2);
    seen.insert(static_cast<unsigned>(key.high >> 56), key, 0);
    if (n > 10'000 && n % 1000 == 0) CHECK(seen.memory() <= 64 * seen.size());
  }
  CHECK(seen.size() == 400'000);
}

TEST_CASE("Keys that have expired make room before the watermark is told of it, too") {
  KeyedNode node("dedupe", within_10s({{"max_keys", scalar("8")}}), open_schema({"k"}));
  static constexpr const char* kNames[] = {"a", "b", "c", "d"};
  for (int i = 0; i < 400; ++i)
    node.records({{Value::string(kNames[i % 4])}}, {i * 6 * kSecond},
                 {std::max(0, i - 1) * 6 * kSecond});
  CHECK(node.out().dropped[DropReason::shed] == 0);
  CHECK(passed(node).size() == 400);
}
