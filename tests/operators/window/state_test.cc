// SPDX-License-Identifier: Apache-2.0
// What a window keeps on disk: how much of it, that it is enough, and what happens when it is
// damaged. random_test.cc restarts windows of every kind.
#include "engine/core/key.h"
#include "operators/window/pane_rows.h"
#include "tests/operators/window/harness.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <random>

namespace streamd::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

OracleRecord at(std::int64_t second, const std::string& key = "a") {
  OracleRecord r;
  r.key = key;
  r.time = second * kSecond;
  r.floor = INT64_MIN;
  return r;
}

ConfigNode config(ConfigNode window, std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  bool computes = false;
  for (const auto& [key, value] : more) computes = computes || key == "compute";
  if (!computes)
    more.emplace_back("compute", map_of({{"n", scalar("count()")}, {"s", scalar("sum(x)")}}));
  more.insert(more.begin(), {{"window", std::move(window)}, {"by", list_of({"k"})}});
  return map_of(std::move(more));
}
ConfigNode tumbling(const std::string& size) { return map_of({{"tumbling", scalar(size)}}); }
ConfigNode sliding(const std::string& size, const std::string& every) {
  return map_of({{"sliding", scalar(size)}, {"every", scalar(every)}});
}

std::size_t bytes_on_disk(const MemoryState& state, char type) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : state.rows)
    if (key.second.front() == type) bytes += value.size();
  return bytes;
}

class Rows final : public StateReader {
 public:
  explicit Rows(const MemoryState& state) : state_(state) {}
  Status scan(const Visit& visit) override {
    for (const auto& [key, value] : state_.rows) STREAMD_TRY(visit(key.first, key.second, value));
    return {};
  }
  const MemoryState& state_;
};

Status restore(const Node& node) {
  Rows rows(node.state);
  return node.plan->make({"node", 0, 1, 0x1234567, nullptr})->restore(rows);
}

}  // namespace

TEST_CASE("a checkpoint writes what changed and nothing else", "[window]") {
  Node node(config(tumbling("1h")), 1);
  std::vector<OracleRecord> records;
  for (int i = 0; i < 1000; ++i) records.push_back(at(0, "key" + std::to_string(i)));
  node.records(records);
  node.checkpoint();
  const std::size_t full = node.state.written;
  node.checkpoint();
  CHECK(node.state.written == full);
  node.records({at(1, "key7")});
  node.checkpoint();
  CHECK(node.state.written < full + 100);
  for (int i = 0; i < 500; ++i) {
    node.records({at(1, "key7"), at(1, "key8")});
    node.checkpoint();
  }
  CHECK(node.state.rows.size() < 3000);
  node.restart(2);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines.size() == 1000);
  node.checkpoint();
  for (const auto& [key, value] : node.state.rows) CHECK(key.second == "w");
}

TEST_CASE("a checkpoint costs few rows, however many key groups have changed", "[window]") {
  Node node(config(sliding("4s", "1s")), 2);
  std::vector<OracleRecord> records;
  for (int i = 0; i < 4000; ++i) records.push_back(at(i / 1000, "key" + std::to_string(i % 1000)));
  node.records(records);
  node.watermark(3 * kSecond);
  node.checkpoint();
  // Four panes, keys and watermark of each worker, under the first group of the worker.
  CHECK(node.state.rows.size() == 12);
  for (const auto& [key, value] : node.state.rows) CHECK(key.first % 128 == 0);

  // Another number of workers: the rows of the two are replaced at once, by rows of the three.
  node.restart(3);
  node.checkpoint();
  CHECK(node.state.rows.size() == 18);
  for (const auto& [key, value] : node.state.rows)
    CHECK((key.first == 0 || key.first == 86 || key.first == 171));
  const auto rows = node.state.rows;
  node.restart(3);
  node.checkpoint();
  CHECK(node.state.rows == rows);

  node.restart(1);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines.size() == 7000);
}

TEST_CASE("state of a newer version and damaged state are refused", "[window]") {
  Node node(config(tumbling("1h")), 1);
  node.records({at(0)});
  node.watermark(kSecond);
  node.checkpoint();
  for (auto& [key, value] : node.state.rows) {
    const std::string good = value;
    CHECK(restore(node));
    value[0] = 9;
    CHECK_FALSE(restore(node));
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      value = good.substr(0, cut);
      CHECK_FALSE(restore(node));
    }
    value = good + "x";
    CHECK_FALSE(restore(node));
    value = good;
  }
}

TEST_CASE("a key is written once, however often its cells are", "[window]") {
  Node node(config(sliding("10s", "1s")), 1);
  const std::string key(200, 'x');
  for (int second = 0; second < 50; ++second) {
    node.records({at(second, key), at(second, "short")});
    node.watermark(second * kSecond);
    node.checkpoint();
    CHECK(bytes_on_disk(node.state, 'k') < 250);
  }
  CHECK(node.state.written < 50 * 150);
}

TEST_CASE("keys that come and go leave no more on disk than those that are there", "[window]") {
  const auto steps = [](Node& node, bool restarts) {
    std::mt19937 random(7);
    for (int second = 0; second < 400; ++second) {
      std::vector<OracleRecord> records;
      for (int i = 0; i < 20; ++i) {
        records.push_back(at(second, "key" + std::to_string(random() % 100000)));
        records.push_back(at(second, "often" + std::to_string(random() % 200)));
      }
      node.records(records);
      node.watermark(second * kSecond);
      if (!restarts) continue;
      if (second % 3 == 0) node.checkpoint();
      if (second % 3 == 0 && second % 7 == 0) node.restart(1);
      // At most five entries for each key, or a sweep of the first table.
      CHECK(bytes_on_disk(node.state, 'k') < 10 * 20 * (node.live_keys() + 100));
    }
    node.watermark(INT64_MAX);
    if (restarts) node.checkpoint();
  };
  Node whole(config(sliding("9s", "3s")), 1), broken(config(sliding("9s", "3s")), 1);
  steps(whole, false);
  steps(broken, true);
  CHECK(broken.out.lines == whole.out.lines);
  CHECK(bytes_on_disk(broken.state, 'k') == 0);
}

TEST_CASE("evicted keys whose ids are used again stay apart after a restart", "[window]") {
  const auto limited =
      config(sliding("40s", "10s"), {{"max_keys", scalar("8")}, {"on_full", scalar("evict")}});
  for (unsigned seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Node whole(limited, 1), broken(limited, 1);
    std::mt19937 random(seed);
    for (int step = 0; step < 300; ++step) {
      std::vector<OracleRecord> records;
      for (unsigned n = random() % 4; n > 0; --n) {
        // Few keys, so that one comes back under another id while its old cells are on disk.
        records.push_back(at(step / 4 - random() % 15, "key" + std::to_string(random() % 14)));
        records.back().x = random() % 100;
      }
      for (Node* node : {&whole, &broken}) {
        node->records(records);
        if (step % 8 == 0) node->watermark((step / 4 - 20) * kSecond);
      }
      if (random() % 5 == 0) broken.checkpoint();
      if (random() % 15 == 0) {
        broken.checkpoint();
        broken.restart(1);
      }
    }
    whole.watermark(INT64_MAX);
    broken.watermark(INT64_MAX);
    CHECK(broken.out.lines == whole.out.lines);
    CHECK(broken.out.dropped == whole.out.dropped);
    CHECK(whole.out.dropped["shed"] > 20);
  }
}

TEST_CASE("what is done between boundaries and checkpoints changes no result", "[window]") {
  // So many keys that a pane takes several batches to enter, to leave and to be encoded.
  std::mt19937 random(11);
  std::vector<std::vector<OracleRecord>> batches;
  for (int batch = 0; batch < 300; ++batch) {
    auto& records = batches.emplace_back();
    for (int i = 0; i < 1000; ++i) {
      records.push_back(at(0, "key" + std::to_string(random() % 30000)));
      if (i % 10 == 0) records.back().key = "busy" + std::to_string(random() % 40);
      records.back().time = batch * kSecond / 15 - random() % (kSecond / 2);
      records.back().x = random() % 100;
    }
  }
  for (const char* value : {"count()", "max(x)"}) {
    const auto shown =
        config(sliding("4s", "1s"),
               {{"having", scalar("n > 2")},
                {"compute", map_of({{"n", scalar("count()")}, {"v", scalar(value)}})}});
    Node whole(shown, 1), stepped(shown, 1);
    for (const auto& records : batches) whole.records(records);
    whole.watermark(INT64_MAX);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      stepped.records(batches[i]);
      stepped.watermark(static_cast<std::int64_t>(i) * kSecond / 15 - kSecond);
      if (i % 11 == 0) stepped.checkpoint();
      if (i % 66 == 0) {
        stepped.checkpoint();
        stepped.restart(1);
      }
    }
    stepped.watermark(INT64_MAX);
    CHECK(whole.out.lines.size() > 10000);
    CHECK((stepped.out.lines == whole.out.lines));
    CHECK(stepped.live_keys() == 0);
  }
}

TEST_CASE("a key that comes back while its last pane leaves has no empty window", "[window]") {
  Node node(config(sliding("2s", "1s")), 1);
  std::vector<OracleRecord> records;
  for (int i = 0; i < 10000; ++i) records.push_back(at(0, "key" + std::to_string(i)));
  node.records(records);
  node.watermark(2 * kSecond);
  CHECK(node.out.lines.size() == 20000);
  node.records({at(5, "key0")});
  node.watermark(4 * kSecond);
  CHECK(node.out.lines.size() == 20000);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines.size() == 20002);
  CHECK(node.live_keys() == 0);
}

TEST_CASE("how late a record is goes by what its own key group had closed before a restart",
          "[window]") {
  const auto session =
      map_of({{"session", map_of({{"gap", scalar("5s")}, {"max", scalar("100s")}})}});
  for (const ConfigNode& window : {tumbling("10s"), session}) {
    Node node(config(window), 2);
    std::vector<OracleRecord> early, late;
    for (const char key : std::string("abcdefghijkl")) {
      early.push_back(at(1, std::string(1, key)));
      late.push_back(at(5, std::string(1, key)));
    }
    node.records(early);
    node.watermark(20 * kSecond, 0);
    node.watermark(40 * kSecond, 1);
    node.checkpoint();
    node.restart(1);
    node.records(late);
    auto& told = node.out.lateness;
    REQUIRE(told.size() == late.size());
    std::sort(told.begin(), told.end());
    told.erase(std::unique(told.begin(), told.end()), told.end());
    CHECK(told == std::vector<std::int64_t>{15 * kSecond, 35 * kSecond});
  }
}

TEST_CASE("few keys with large ids are given small ones", "[window]") {
  Node node(config(tumbling("1h")), 1);
  node.records({at(0, "a"), at(1, "a"), at(2, "b")});
  node.checkpoint();
  using namespace window;
  std::string a, b;
  append_key(Value::string("a"), a);
  append_key(Value::string("b"), b);
  for (auto& [key, value] : node.state.rows) {
    if (key.second.front() != 'k' && key.second.front() != 'p') continue;
    const std::string before = value;
    std::string_view in = before;
    std::uint32_t n = 0;
    in.remove_prefix(1);
    REQUIRE((take_row_count(in, n) && n == 2));
    value.resize(value.size() - in.size());
    constexpr std::int64_t kLarge = 2'000'000'000;
    if (key.second.front() == 'p') {
      std::int64_t first = 0;
      REQUIRE((take_signed(in, first) && first == 0));
      put_signed(value, kLarge);
      value += in;
      continue;
    }
    for (const auto& [id, text] : {std::pair(kLarge, a), std::pair(kLarge + 1, b)}) {
      put_varint(value, static_cast<std::uint64_t>(id));
      put_varint(value, text.size() + 1);
      value += text;
    }
  }
  node.restart(1);
  node.checkpoint();
  node.restart(1);
  CHECK(bytes_on_disk(node.state, 'k') < 25);
  node.watermark(INT64_MAX);
  CHECK(node.out.lines.size() == 2);
  CHECK(node.out.lines[0].substr(0, 8) == "k=a n=2 ");
}

TEST_CASE("cells of a key that no row names are damage", "[window]") {
  Node node(config(tumbling("1h")), 1);
  node.records({at(0, "a"), at(2, "b")});
  node.checkpoint();
  std::erase_if(node.state.rows, [](const auto& row) { return row.first.second.front() == 'k'; });
  const auto restored = restore(node);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().message.find("pane") != std::string::npos);
}

}  // namespace streamd::test
