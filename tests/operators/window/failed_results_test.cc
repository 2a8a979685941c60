// SPDX-License-Identifier: Apache-2.0
// Results without a value or a decision are counted and told of, never emitted and never silent.
#include "tests/operators/window/harness.h"
#include "tests/support/catch.h"

namespace streamd::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
using Lines = std::vector<std::string>;

OracleRecord record(std::int64_t second, const std::string& key, double x) {
  OracleRecord r;
  r.key = key;
  r.time = second * kSecond;
  r.floor = INT64_MIN;
  r.x = x;
  r.whole = true;
  return r;
}

ConfigNode config(ConfigNode window, const std::string& compute,
                  std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  std::vector<std::pair<std::string, ConfigNode>> entries = {
      {"window", std::move(window)},
      {"by", list_of({"k"})},
      {"compute", map_of({{"v", scalar(compute)}, {"n", scalar("count()")}})}};
  for (auto& entry : more) entries.push_back(std::move(entry));
  return map_of(std::move(entries));
}
ConfigNode sliding() { return map_of({{"sliding", scalar("10s")}, {"every", scalar("5s")}}); }
ConfigNode session() {
  return map_of({{"session", map_of({{"gap", scalar("5s")}, {"max", scalar("1m")}})}});
}

std::string row(const std::string& key, const std::string& v, int n, int start, int end) {
  return "k=" + key + " v=" + v + " n=" + std::to_string(n) +
         " window_start=" + std::to_string(start * kSecond) +
         " window_end=" + std::to_string(end * kSecond);
}

}  // namespace

TEST_CASE("a sum that leaves 64 bits fails in those windows only", "[window]") {
  Node node(config(sliding(), "sum(x)"), 1);
  node.records({record(0, "a", 9e18), record(0, "b", 1), record(6, "a", 9e18)});
  node.watermark(30 * kSecond);
  // Together they are in the window [0, 10) only.
  CHECK(node.out.lines == Lines{row("a", "9000000000000000000", 1, -5, 5), row("b", "1", 1, -5, 5),
                                row("b", "1", 1, 0, 10),
                                row("a", "9000000000000000000", 1, 5, 15)});
  CHECK(node.out.failed == Lines{"overflow"});
  CHECK(node.live_keys() == 0);
}

TEST_CASE("a sum of doubles beyond their range fails", "[window]") {
  Node node(config(map_of({{"tumbling", scalar("10s")}}), "sum(double(x) * 1e290)"), 1);
  node.records({record(0, "a", 1e18), record(1, "a", 1e18), record(2, "b", 2)});
  node.watermark(10 * kSecond);
  CHECK(node.out.lines.size() == 1);
  CHECK(node.out.failed == Lines{"overflow"});
}

TEST_CASE("a session whose sum leaves 64 bits fails", "[window]") {
  Node node(config(session(), "sum(x)"), 1);
  node.records({record(0, "a", 9e18), record(1, "a", 9e18), record(1, "b", 2)});
  node.watermark(30 * kSecond);
  CHECK(node.out.lines == Lines{row("b", "2", 1, 1, 6)});
  CHECK(node.out.failed == Lines{"overflow"});
}

TEST_CASE("a condition that cannot be computed fails, whatever is emitted when", "[window]") {
  for (const std::string emit : {"close", "threshold", "changed"}) {
    INFO(emit);
    Node node(
        config(sliding(), "sum(x)", {{"having", scalar("100 / v > 10")}, {"emit", scalar(emit)}}),
        1);
    node.records({record(0, "a", 5), record(0, "b", 0), record(0, "c", 50)});
    node.watermark(5 * kSecond);
    CHECK(node.out.lines == Lines{row("a", "5", 1, -5, 5)});
    CHECK(node.out.failed == Lines{"expression"});
  }
  Node node(config(session(), "sum(x)", {{"having", scalar("100 / v > 10")}}), 1);
  node.records({record(0, "a", 5), record(0, "b", 0)});
  node.watermark(30 * kSecond);
  CHECK(node.out.lines == Lines{row("a", "5", 1, 0, 5)});
  CHECK(node.out.failed == Lines{"expression"});
}

TEST_CASE("a condition on a value that is null is false and no failure", "[window]") {
  Node node(config(sliding(), "avg(x)", {{"having", scalar("v > 1.0")}}), 1);
  OracleRecord nothing = record(0, "a", 0);
  nothing.x.reset();
  node.records({nothing, record(0, "b", 5)});
  node.watermark(5 * kSecond);
  CHECK(node.out.lines.size() == 1);
  CHECK(node.out.failed.empty());
}

TEST_CASE("failed results leave the others of the same batch in place", "[window]") {
  Node node(config(map_of({{"tumbling", scalar("10s")}}), "sum(x)"), 1);
  std::vector<OracleRecord> records;
  for (int i = 0; i < 300; ++i)
    for (int n = 0; n < 2; ++n)
      records.push_back(record(n, std::to_string(i), i % 3 == 0 ? 9e18 : 1));
  node.records(records);
  node.watermark(10 * kSecond);
  CHECK(node.out.lines.size() == 200);
  CHECK(node.out.failed.size() == 100);
}

}  // namespace streamd::test
