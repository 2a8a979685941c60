// SPDX-License-Identifier: Apache-2.0
// The rows of KeyStates, seen through first_seen, whose state says when a key was there.
#include "operators/window/varint.h"
#include "tests/operators/keyed_node.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

KeyedNode first_seen(unsigned workers = 1) {
  return {"first_seen", map_of({{"by", list_of({"k"})}, {"forget", scalar("100s")}}),
          open_schema({"k"}), workers};
}

std::string name(std::size_t number) { return "client " + std::to_string(number); }

void add(KeyedNode& node, std::size_t first, std::size_t count, std::int64_t second) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(name(first + i));
  Column keys;
  for (const auto& text : names) keys.push_back(Value::string(text));
  node.records({keys}, std::vector<std::int64_t>(count, second * kSecond));
}

std::size_t entries(const KeyedNode& node) {
  std::size_t sum = 0;
  for (const auto& [at, value] : node.rows)
    for (unsigned i = 0; i < 4; ++i)
      sum += std::size_t{static_cast<unsigned char>(value[1 + i])} << (8 * i);
  return sum;
}

// How many of these clients are known after a restart from the rows of another node.
std::size_t known(const KeyedNode& node, unsigned workers, std::size_t first, std::size_t count,
                  std::int64_t second) {
  KeyedNode other = first_seen();
  other.rows = node.rows;
  other.restart(workers);
  add(other, first, count, second);
  const auto marks = other.given("first_seen");
  return static_cast<std::size_t>(
      std::count_if(marks.begin(), marks.end(), [](const Value& v) { return !v.as_bool(); }));
}

}  // namespace

TEST_CASE("what has expired makes room before the watermark says so") {
  KeyedNode node(
      "first_seen",
      map_of({{"by", list_of({"k"})}, {"forget", scalar("10s")}, {"max_keys", scalar("20")}}),
      open_schema({"k"}));
  for (std::int64_t second = 0; second < 100; ++second)
    node.records({strings({name(static_cast<std::size_t>(second)).c_str()})}, {second * kSecond},
                 {second * kSecond});
  CHECK(node.out().dropped[DropReason::shed] == 0);
  CHECK(node.live_keys() <= 20);
  node.checkpoint();
  node.restart(2);
  CHECK(node.live_keys() <= 20);
  node.records({strings({name(99).c_str(), name(90).c_str(), name(80).c_str()})},
               {99 * kSecond, 99 * kSecond, 99 * kSecond});
  const auto marks = node.given("first_seen");
  CHECK(std::count_if(marks.begin(), marks.end(), [](const Value& v) { return v.as_bool(); }) ==
        101);
}

TEST_CASE("many keys are few rows, and those that are written again supersede the older ones") {
  KeyedNode node = first_seen();
  constexpr std::size_t kClients = 20'000;
  for (const std::int64_t second : {1, 2, 3}) {
    add(node, 0, kClients, second);
    node.checkpoint();
  }
  CHECK(node.rows.size() < 20);
  CHECK(entries(node) == 3 * kClients);
  std::size_t longest = 0;
  for (std::int64_t second = 4; second < 14; ++second) {
    add(node, 0, 100, second);
    node.checkpoint();
    longest = std::max(longest, entries(node));
    CHECK(known(node, 1, 0, kClients + 10, 20) == kClients);
  }
  CHECK(longest > 3 * kClients + 4000);
  CHECK(longest < 5 * kClients);
  CHECK(entries(node) < kClients + 3000);
  CHECK(known(node, 1, 0, 100, 112) == 100);
  CHECK(known(node, 1, 100, 100, 112) == 0);
}

TEST_CASE("a key that is forgotten is gone from the rows, and one that came back is there") {
  KeyedNode node = first_seen();
  add(node, 0, 50, 1);
  add(node, 50, 50, 90);
  node.checkpoint();
  node.watermark(110 * kSecond);
  add(node, 10, 5, 110);
  node.checkpoint();
  for (const unsigned workers : {1u, 3u}) {
    CHECK(known(node, workers, 0, 10, 120) == 0);
    CHECK(known(node, workers, 10, 5, 120) == 5);
    CHECK(known(node, workers, 15, 35, 120) == 0);
    CHECK(known(node, workers, 50, 50, 120) == 50);
  }
  node.watermark(500 * kSecond);
  node.checkpoint();
  CHECK(node.rows.empty());
}

TEST_CASE("rows of other numbers of workers are replaced at the first checkpoint") {
  std::mt19937 random(7);
  KeyedNode node = first_seen(1);
  std::map<std::size_t, std::int64_t> newest;  // as of the last checkpoint
  for (std::int64_t round = 0; round < 60; ++round) {
    const std::int64_t now = 10 * round;
    const auto first = static_cast<std::size_t>(random() % 300);
    add(node, first, 40, now);
    for (std::size_t i = first; i < first + 40; ++i) newest[i] = now;
    node.watermark(now * kSecond);
    node.checkpoint();
    std::size_t alive = 0;
    for (const auto& [client, second] : newest)
      if (second + 90 > now) ++alive;
    CHECK(known(node, 1 + random() % 4, 0, 340, now + 10) == alive);
    if (random() % 3 == 0) node.restart(1 + random() % 5);
  }
}

TEST_CASE("rows that say no more than they hold") {
  KeyedNode node = first_seen();
  add(node, 0, 3, 1);
  node.checkpoint();
  REQUIRE(node.rows.size() == 1);
  const auto at = node.rows.begin()->first;
  const std::string good = node.rows.begin()->second;
  for (std::size_t size = 0; size < good.size(); ++size) {
    node.rows[at] = good.substr(0, size);
    CHECK(node.restart_error() == "the state of a key is damaged");
  }
  node.rows[at] = good + 'x';
  CHECK(node.restart_error() == "the state of a key is damaged");
  std::string no_time = good.substr(0, 5);
  no_time[1] = 1;
  window::put_text(no_time, "a");
  node.rows[at] = no_time + '\1';
  CHECK(node.restart_error() == "the state of a key is damaged");
  node.rows[at] = no_time + '\0';
  CHECK(node.restart_error() == "");
  node.rows = {{{at.first, "k"}, good}};
  CHECK(node.restart_error() == "the state of a key is damaged");
  // As it was when each key had a row of its own.
  node.rows = {{{at.first, std::string("k\6\1\0\0\0a", 7)}, "\1\2\2"}};
  CHECK(node.restart_error() == "the state of a key has an unknown version");
}
