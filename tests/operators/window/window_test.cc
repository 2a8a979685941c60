// SPDX-License-Identifier: Apache-2.0
// One readable case per rule; random_test.cc covers their combinations.
#include "tests/operators/window/harness.h"
#include "tests/support/catch.h"

#include <random>

namespace streamd::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
using Lines = std::vector<std::string>;

OracleRecord at(double seconds, const std::string& key = "a", std::int64_t floor = INT64_MIN) {
  OracleRecord r;
  r.key = key;
  r.time = static_cast<std::int64_t>(seconds * kSecond);
  r.floor = floor == INT64_MIN ? floor : floor * kSecond;
  return r;
}
OracleRecord with_x(double seconds, double x, bool whole = true) {
  OracleRecord r = at(seconds);
  r.x = x;
  r.whole = whole;
  return r;
}

ConfigNode config(ConfigNode window, std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  std::vector<std::pair<std::string, ConfigNode>> entries = {{"window", std::move(window)},
                                                             {"by", list_of({"k"})}};
  bool computes = false;
  for (const auto& [key, value] : more) computes = computes || key == "compute";
  if (!computes) entries.emplace_back("compute", map_of({{"n", scalar("count()")}}));
  for (auto& entry : more) entries.push_back(std::move(entry));
  return map_of(std::move(entries));
}
ConfigNode tumbling(const std::string& size) { return map_of({{"tumbling", scalar(size)}}); }
ConfigNode sliding(const std::string& size, const std::string& every) {
  return map_of({{"sliding", scalar(size)}, {"every", scalar(every)}});
}

std::string row(const std::string& key, int n, double start, double end) {
  return "k=" + key + " n=" + std::to_string(n) +
         " window_start=" + std::to_string(static_cast<std::int64_t>(start * kSecond)) +
         " window_end=" + std::to_string(static_cast<std::int64_t>(end * kSecond));
}

}  // namespace

TEST_CASE("a tumbling window holds its start and not its end", "[window]") {
  Node node(config(tumbling("10s")), 1);
  node.records({at(0), at(9.999999), at(10), at(-0.000001)});
  node.watermark(20 * kSecond);
  CHECK(node.out.lines == Lines{row("a", 1, -10, 0), row("a", 2, 0, 10), row("a", 1, 10, 20)});
  CHECK(node.live_keys() == 0);
}

TEST_CASE("a window closes when the watermark reaches its end and not before", "[window]") {
  Node node(config(tumbling("10s")), 1);
  node.records({at(5)});
  node.watermark(10 * kSecond - 1);
  CHECK(node.out.lines.empty());
  node.watermark(10 * kSecond);
  CHECK(node.out.lines == Lines{row("a", 1, 0, 10)});
}

TEST_CASE("a result's time is just before its window's end and its id depends on key and window",
          "[window]") {
  Node node(config(tumbling("10s")), 1);
  node.records({at(5, "a"), at(5, "b"), at(15, "a")});
  node.watermark(INT64_MAX);
  REQUIRE(node.out.rows.size() == 3);
  CHECK(node.out.rows[0].exact == "a [0,10000000) @9999999 n=1");
  CHECK(node.out.ids[0] != node.out.ids[1]);
  CHECK(node.out.ids[0] != node.out.ids[2]);
  Node again(config(tumbling("10s")), 3);
  again.records({at(15, "a")});
  again.watermark(INT64_MAX);
  CHECK(again.out.ids == std::vector<std::uint64_t>{node.out.ids[2]});
}

TEST_CASE("sliding windows end at every step, also when size is no multiple of it", "[window]") {
  Node node(config(sliding("5s", "3s")), 1);
  node.records({at(4)});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("a", 1, 1, 6), row("a", 1, 4, 9)});
}

TEST_CASE("results come by window end, then by key", "[window]") {
  Node node(config(sliding("2s", "1s")), 1);
  node.records({at(1.5, "b"), at(0.5, "c"), at(0.5, "a")});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("a", 1, -1, 1), row("c", 1, -1, 1), row("a", 1, 0, 2),
                                row("b", 1, 0, 2), row("c", 1, 0, 2), row("b", 1, 1, 3)});
}

TEST_CASE("a record later than all its windows leaves through port late with its lateness",
          "[window]") {
  Node node(config(tumbling("10s")), 1);
  node.watermark(10 * kSecond);
  node.records({at(9), at(12, "a", 25)});
  CHECK(node.out.lateness == std::vector<std::int64_t>{1 * kSecond, 13 * kSecond});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines.empty());
}

TEST_CASE("a record that is late for some windows counts in the others", "[window]") {
  Node node(config(sliding("4s", "2s")), 1);
  node.watermark(2 * kSecond);
  node.records({at(1)});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("a", 1, 0, 4)});
}

TEST_CASE("a partition's floor decides, even while the window is open for others", "[window]") {
  Node node(config(sliding("4s", "2s")), 1);
  node.records({at(1, "a", 2), at(1, "b")});
  node.checkpoint();
  node.restart(1);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("b", 1, -2, 2), row("a", 1, 0, 4), row("b", 1, 0, 4)});
}

TEST_CASE("having chooses windows", "[window]") {
  Node node(config(tumbling("1s"), {{"having", scalar("n >= 2")}}), 1);
  node.records({at(0, "a"), at(0, "b"), at(0, "b"), at(1, "a")});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("b", 2, 0, 1)});
}

TEST_CASE("values are the same whether `having` makes them wait for enough records or not",
          "[window]") {
  const auto values = map_of({{"n", scalar("count()")},
                              {"d", scalar("distinct(x)")},
                              {"t", scalar("top(x, 2)")},
                              {"mn", scalar("min(x)")},
                              {"s", scalar("sum(x)")}});
  for (unsigned seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    Node all(config(sliding("20s", "4s"), {{"compute", values}}), 1);
    Node some(config(sliding("20s", "4s"), {{"compute", values}, {"having", scalar("n >= 4")}}), 1);
    for (std::int64_t now = 0; now < 400; ++now) {
      // Each key is busy for a while and then nearly silent; some records come late.
      std::vector<OracleRecord> records;
      for (const char* key : {"a", "b", "c"}) {
        const bool busy = (now / 50 + key[0]) % 2 == 0;
        if (random() % (busy ? 3 : 9) != 0) continue;
        OracleRecord r = with_x(static_cast<double>(now - static_cast<std::int64_t>(random() % 5)),
                                static_cast<double>(random() % 4));
        r.key = key;
        records.push_back(r);
      }
      for (Node* node : {&all, &some}) {
        if (!records.empty()) node->records(records);
        node->watermark((now - 2) * kSecond);
      }
      if (random() % 40 != 0) continue;
      for (Node* node : {&all, &some}) {
        node->checkpoint();
        node->restart(1);
      }
    }
    Lines wanted;
    for (const auto& line : all.out.lines)
      if (std::stoi(line.substr(line.find(" n=") + 3)) >= 4) wanted.push_back(line);
    CHECK(wanted.size() > 20);
    CHECK(wanted.size() < all.out.lines.size());
    CHECK(some.out.lines == wanted);
  }
}

TEST_CASE("a threshold gives one row per burst, at the record that crosses it", "[window]") {
  Node node(
      config(sliding("3s", "1s"), {{"having", scalar("n > 2")}, {"emit", scalar("threshold")}}), 1);
  node.records({at(0.1), at(0.2)});
  CHECK(node.out.lines.empty());
  node.records({at(0.3), at(0.4), at(0.5)});
  REQUIRE(node.out.lines.size() == 1);
  CHECK(node.out.rows[0].exact == "a [-2000000,1000000) @300000 n=3");
  node.watermark(2 * kSecond);
  node.records({at(2.5), at(2.6), at(2.7)});
  CHECK(node.out.lines.size() == 1);  // it has not been false since
  node.watermark(9 * kSecond);
  node.records({at(9.1), at(9.2), at(9.3)});
  CHECK(node.out.lines.size() == 2);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines.size() == 2);
  CHECK(node.live_keys() == 0);
}

TEST_CASE("a threshold does not add up records that no window holds together", "[window]") {
  Node node(
      config(sliding("2s", "1s"), {{"having", scalar("n > 2")}, {"emit", scalar("threshold")}}), 1);
  node.records({at(0.5), at(2.5), at(1.5), at(4.5)});
  CHECK(node.out.lines.empty());
  node.records({at(1.6)});
  CHECK(node.out.lines == Lines{row("a", 3, 0, 2)});
}

TEST_CASE("an alert that was given is not given again after a restart", "[window]") {
  Node node(
      config(sliding("3s", "1s"), {{"having", scalar("n > 1")}, {"emit", scalar("threshold")}}), 1);
  node.records({at(0.1), at(0.2)});
  node.checkpoint();
  node.restart(2);
  node.records({at(0.3)});
  CHECK(node.out.lines.size() == 1);
  node.watermark(20 * kSecond);
  node.checkpoint();
  for (const auto& [key, value] : node.state.rows) CHECK(key.second == "w");
}

TEST_CASE("changed gives a key when its values differ from the window before", "[window]") {
  Node node(config(sliding("3s", "1s"), {{"emit", scalar("changed")}}), 1);
  node.records({at(0.5), at(1.5), at(3.5)});
  node.watermark(INT64_MAX);
  // 1, 2, 2, 2 (one left, one came), 1, 1, nothing
  CHECK(node.out.lines == Lines{row("a", 1, -2, 1), row("a", 2, -1, 2), row("a", 1, 2, 5)});
}

TEST_CASE("an input that ended and has grown is read on, window by window", "[window]") {
  const auto session =
      map_of({{"session", map_of({{"gap", scalar("10s")}, {"max", scalar("1h")}})}});
  for (const auto& kind : {tumbling("10s"), session}) {
    Node node(config(kind), 1);
    node.records({at(1)});
    node.watermark(INT64_MAX);
    REQUIRE(node.out.lines.size() == 1);
    node.checkpoint();
    node.restart(1);
    node.records({at(0), at(25)});  // the first belongs to a window that was given out
    node.watermark(INT64_MAX);
    CHECK(node.out.lines.size() == 2);
    CHECK(node.out.dropped["late"] + node.out.lateness.size() >= 1);
  }
}

TEST_CASE("sessions join records that are less than the gap apart", "[window]") {
  const auto session =
      map_of({{"session", map_of({{"gap", scalar("10s")}, {"max", scalar("1h")}})}});
  Node node(config(session), 1);
  node.records({at(0), at(18), at(40)});
  node.records({at(9)});  // joins 0 and 18
  node.watermark(50 * kSecond - 1);
  CHECK(node.out.lines == Lines{row("a", 3, 0, 28)});
  node.watermark(50 * kSecond);
  CHECK(node.out.lines.size() == 2);
  CHECK(node.live_keys() == 0);
}

TEST_CASE("a session that ended before a record's floor does not take it, though it is still open",
          "[window]") {
  const auto session =
      map_of({{"session", map_of({{"gap", scalar("5s")}, {"max", scalar("100s")}})}});
  Node node(config(session), 1);
  node.records({at(19), at(50, "b"), at(17, "a", 48), at(20, "a", 48)});
  CHECK(node.out.lateness == std::vector<std::int64_t>{31 * kSecond, 28 * kSecond});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("a", 1, 19, 24), row("b", 1, 50, 55)});
}

TEST_CASE("a session ends at max", "[window]") {
  const auto session =
      map_of({{"session", map_of({{"gap", scalar("10s")}, {"max", scalar("15s")}})}});
  Node node(config(session), 1);
  node.records({at(0), at(8), at(14), at(15), at(16)});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("a", 3, 0, 15), row("a", 2, 15, 26)});
}

TEST_CASE(
    "a record without the key field, with an input of the wrong type or with an absurd time "
    "is rejected",
    "[window]") {
  Node node(config(tumbling("1s"),
                   {{"compute", map_of({{"n", scalar("count()")}, {"s", scalar("sum(k)")}})}}),
            1);
  node.records({at(0)});
  OracleRecord absurd = at(0);
  absurd.time = INT64_MAX - 5;
  node.records({absurd});
  absurd.time = INT64_MIN;
  node.records({absurd});
  CHECK(node.out.rejected == Lines{"type", "bad-time", "bad-time"});
  Node keyed(map_of({{"window", tumbling("1s")},
                     {"by", list_of({"x"})},
                     {"compute", map_of({{"n", scalar("count()")}})}}),
             1);
  OracleRecord null = at(0);
  null.whole = true;  // x is null, which is a key
  keyed.records({at(0), null});
  keyed.watermark(INT64_MAX);
  CHECK(keyed.out.rejected == Lines{"missing-field"});
  CHECK(keyed.out.lines == Lines{"x=null n=1 window_start=0 window_end=1000000"});
}

TEST_CASE("an input that fails to compute is rejected and a missing field is skipped", "[window]") {
  const auto computes = [](const char* text) {
    return config(tumbling("1s"),
                  {{"compute", map_of({{"n", scalar("count()")}, {"s", scalar(text)}})}});
  };
  Node plain(computes("sum(x)"), 1);
  plain.records({at(0), with_x(0, 3)});
  plain.watermark(INT64_MAX);
  CHECK(plain.out.rows[0].exact == "a [0,1000000) @999999 n=2 s=3");
  Node computed(computes("sum(x + 1)"), 1);
  computed.records({at(0), with_x(0, 3)});
  computed.watermark(INT64_MAX);
  CHECK(computed.out.rejected == Lines{"expression"});
  CHECK(computed.out.rows[0].exact == "a [0,1000000) @999999 n=1 s=4");
}

TEST_CASE("where decides what enters", "[window]") {
  Node node(config(tumbling("1s"), {{"where", scalar("x > 5")}}), 1);
  node.records({with_x(0, 3), with_x(0, 7), at(0)});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("a", 1, 0, 1)});
  CHECK(node.out.dropped == std::map<std::string, std::size_t>{{"filtered", 1}});
  CHECK(node.out.rejected == Lines{"expression"});
}

TEST_CASE("without by there is one group", "[window]") {
  const auto whole =
      map_of({{"window", tumbling("1s")}, {"compute", map_of({{"n", scalar("count()")}})}});
  Node node(whole, 1);
  node.records({at(0, "a"), at(0, "b")});
  node.checkpoint();
  node.restart(1);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{"n=2 window_start=0 window_end=1000000"});
}

TEST_CASE("a full table refuses new keys and counts their records", "[window]") {
  Node node(config(tumbling("1s"), {{"max_keys", scalar("2")}}), 1);
  node.records({at(0, "a"), at(0, "b"), at(0, "c"), at(0, "a"), at(0, "c")});
  node.watermark(INT64_MAX);
  CHECK(node.out.lines == Lines{row("a", 2, 0, 1), row("b", 1, 0, 1)});
  CHECK(node.out.dropped["shed"] == 2);
}

TEST_CASE("a full table evicts the key that was quiet longest and counts its records", "[window]") {
  Node node(config(sliding("10s", "1s"), {{"max_keys", scalar("2")}, {"on_full", scalar("evict")}}),
            1);
  node.records({at(0, "a"), at(0, "a"), at(3, "b")});
  node.checkpoint();
  node.records({at(4, "c")});
  CHECK(node.out.dropped["shed"] == 2);
  node.checkpoint();
  node.restart(1);
  CHECK(node.live_keys() == 2);
  node.watermark(5 * kSecond);
  CHECK(node.out.lines == Lines{row("b", 1, -6, 4), row("b", 1, -5, 5), row("c", 1, -5, 5)});
}

TEST_CASE("empty stretches of time cost nothing and extreme times do not overflow", "[window]") {
  Node node(config(sliding("1h", "1us")), 1);
  Node sparse(config(sliding("20s", "1s"), {{"having", scalar("n > 5")}}), 1);
  const double year9999 = 253402300799.0;
  sparse.records({at(0), at(year9999), at(-62135596800.0)});
  sparse.watermark(INT64_MAX);
  CHECK(sparse.out.lines.empty());
  CHECK(sparse.live_keys() == 0);
  // Also when every window of every key has to be looked at.
  Node looking(config(sliding("20s", "1ms"), {{"having", scalar("int(window_end) > 0")}}), 1);
  looking.records({at(0), at(year9999)});
  looking.watermark(static_cast<std::int64_t>(year9999) * kSecond);
  CHECK(looking.out.lines.size() == 19001);
  node.watermark(INT64_MIN);
  node.watermark(INT64_MAX / 4);
  node.records({at(5)});
  CHECK(node.out.lateness.size() == 1);
}

TEST_CASE("results leave in batches of at most 4096 rows", "[window]") {
  Node node(config(tumbling("1s")), 1);
  std::vector<OracleRecord> records;
  for (int i = 0; i < 10000; ++i) records.push_back(at(0, "k" + std::to_string(i)));
  node.records(records);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines.size() == 10000);
  CHECK(node.out.largest == 4096);
}

}  // namespace streamd::test
