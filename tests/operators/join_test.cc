// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/keyed_node.h"

#include <algorithm>
#include <random>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

ConfigNode settings(std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {{"by", list_of({"client"})},
                             {"second_by", list_of({"ip"})},
                             {"within", scalar("10s")},
                             {"take", map_of({{"who", scalar("user")}})}});
  return map_of(std::move(more));
}

Schema closed(const std::vector<std::string>& names) {
  Schema schema;
  for (const auto& name : names) schema.fields.push_back({name, Type::any, false});
  return schema;
}

// Requests (client, url) and logins (ip, user).
struct Joined {
  KeyedNode node;

  explicit Joined(const ConfigNode& fields, unsigned workers = 1)
      : node("join", fields, std::vector<Schema>{closed({"client", "url"}), closed({"ip", "user"})},
             workers) {}

  void request(const char* client, const char* url, std::int64_t second) {
    add({Value::string(client), Value::string(url), Value(), Value(), Value::int64(0)}, second);
  }
  void login(const char* ip, const char* user, std::int64_t second) {
    add({Value(), Value(), Value::string(ip), Value::string(user), Value::int64(1)}, second);
  }
  void add(const std::vector<Value>& values, std::int64_t second) {
    std::vector<Column> columns;
    for (const Value& value : values) columns.push_back({value});
    node.records(columns, {second * kSecond});
  }
  void watermark(std::int64_t second) { node.watermark(second * kSecond); }

  // "/a by eve at 7"
  std::vector<std::string> results() const {
    std::vector<std::string> lines;
    for (const Batch& batch : node.node.out.batches)
      for (std::size_t i = 0; i < batch.size(); ++i)
        lines.push_back(std::string(batch.at(1, i).text()) + " by " +
                        (batch.at(2, i).absent() ? "nobody" : std::string(batch.at(2, i).text())) +
                        " at " + std::to_string(batch.time(i).micros / kSecond));
    return lines;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("records of two streams meet whichever comes first, if they are near enough") {
  Joined job(settings());
  CHECK(job.node.node.ports.out.fields.size() == 3);
  job.login("a", "eve", 5);
  job.request("a", "/1", 15);
  job.request("a", "/2", 16);
  job.request("b", "/3", 5);
  job.request("a", "/4", 0);
  job.login("b", "bob", 1);
  CHECK(job.results() == Lines{"/1 by eve at 15", "/4 by eve at 5", "/3 by bob at 5"});
}

TEST_CASE("the second record may be asked to come before or after the first") {
  for (const std::string when : {"before", "after"}) {
    Joined job(settings({{"when", scalar(when)}}));
    job.request("a", "/1", 20);
    job.login("a", "early", 12);
    job.login("a", "same", 20);
    job.login("a", "late", 27);
    job.login("a", "never", 31);
    CHECK(job.results() == (when == "before" ? Lines{"/1 by early at 20", "/1 by same at 20"}
                                             : Lines{"/1 by same at 20", "/1 by late at 27"}));
  }
}

TEST_CASE("who stays alone is told when nobody can come any more") {
  Joined job(settings({{"unmatched", scalar("keep")}}));
  job.request("a", "/1", 20);
  job.request("a", "/2", 21);
  job.login("a", "eve", 10);
  job.watermark(30);
  CHECK(job.results() == Lines{"/1 by eve at 20"});
  job.watermark(50);
  CHECK(job.results() == Lines{"/1 by eve at 20", "/2 by nobody at 31"});
  CHECK(job.node.live_keys() == 0);
}

TEST_CASE("the newest partner is known when event time has passed") {
  Joined job(settings(
      {{"pairs", scalar("newest")}, {"when", scalar("before")}, {"unmatched", scalar("keep")}}));
  job.request("a", "/1", 20);
  job.request("a", "/0", 5);
  job.login("a", "old", 12);
  job.login("a", "new", 19);
  job.login("a", "future", 21);
  CHECK(job.results().empty());
  job.watermark(21);
  CHECK(job.results() == Lines{"/0 by nobody at 5", "/1 by new at 20"});
}

TEST_CASE("records in the past of event time are late, also before a floor of their own") {
  Joined job(settings());
  job.watermark(100);
  job.request("a", "/1", 99);
  job.login("a", "eve", 100);
  CHECK(job.node.out().dropped[DropReason::late] == 1);
  CHECK(job.results().empty());
}

TEST_CASE("what is beyond the limits is counted as shed") {
  Joined job(settings({{"max_keys", scalar("1")}, {"max_records", scalar("2")}}));
  for (const char* url : {"/1", "/2", "/3"}) job.request("a", url, 1);
  job.request("b", "/4", 1);
  CHECK(job.node.out().dropped[DropReason::shed] == 2);
  job.login("a", "eve", 1);
  CHECK(job.results().size() == 2);
}

TEST_CASE("a record of either side without the key is a dead letter") {
  Joined job(settings());
  job.add({Value(), Value::string("/1"), Value(), Value(), Value::int64(0)}, 1);
  CHECK(job.node.out().rejected.size() == 1);
}

TEST_CASE("wrong settings of a join are reported") {
  const auto problems = [](const ConfigNode& fields) {
    OperatorFixture node("join", fields,
                         std::vector<Schema>{closed({"client"}), closed({"ip", "user"})});
    std::string text;
    for (const auto& problem : node.problems.all()) text += problem.message + "\n";
    return text;
  };
  CHECK(problems(settings({{"when", scalar("sometimes")}})).find("sometimes") != std::string::npos);
  CHECK(problems(map_of({{"by", list_of({"client"})}})).find("within") != std::string::npos);
  CHECK(problems(map_of({{"by", list_of({"client"})},
                         {"second_by", list_of({"ip", "user"})},
                         {"within", scalar("1s")}}))
            .find("as many parts") != std::string::npos);
  CHECK(problems(map_of({{"by", list_of({"client"})},
                         {"second_by", list_of({"ip"})},
                         {"within", scalar("1s")},
                         {"take", map_of({{"who", scalar("usr")}})}}))
            .find("usr") != std::string::npos);
  CHECK(problems(map_of({{"by", list_of({"client"})},
                         {"second_by", list_of({"ip"})},
                         {"within", scalar("1s")},
                         {"take", map_of({{"client", scalar("user")}})}}))
            .find("\"client\" already") != std::string::npos);
}

namespace {

struct Arrival {
  bool first = false;
  int key = 0;
  std::int64_t time = 0;
  std::string text;
};

// Every pair there is, by comparing all with all.
Lines brute_force(const std::vector<Arrival>& all, const std::string& when,
                  const std::string& pairs) {
  Lines lines;
  for (const Arrival& a : all) {
    if (!a.first) continue;
    const std::int64_t end = when == "before" ? a.time : a.time + 10;
    const Arrival* newest = nullptr;
    bool found = false;
    for (const Arrival& b : all) {
      if (b.first || b.key != a.key || b.time < (when == "after" ? a.time : a.time - 10) ||
          b.time > end)
        continue;
      found = true;
      if (newest == nullptr || b.time >= newest->time) newest = &b;
      if (pairs == "each")
        lines.push_back(a.text + " by " + b.text + " at " +
                        std::to_string(std::max(a.time, b.time)));
    }
    if (!found || pairs == "newest")
      lines.push_back(a.text + " by " + (found ? newest->text : "nobody") + " at " +
                      std::to_string(end));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("a join agrees with comparing all with all, over disorder, restarts and workers") {
  std::mt19937 random(7);
  const char* const names[] = {"a", "b", "c", "d", "e"};
  for (int round = 0; round < 60; ++round) {
    const std::string when = std::array{"any", "before", "after"}[random() % 3];
    const std::string pairs = std::array{"each", "newest"}[random() % 2];
    INFO("round " << round << ", when " << when << ", pairs " << pairs);
    Joined job(
        settings({{"when", scalar(when)}, {"pairs", scalar(pairs)}, {"unmatched", scalar("keep")}}),
        1 + random() % 3);
    std::vector<Arrival> all;
    std::int64_t clock = 0, mark = 0;
    for (int i = 0; i < 120; ++i) {
      clock += random() % 3;
      Arrival next{random() % 2 == 0, static_cast<int>(random() % 5),
                   std::max<std::int64_t>(mark, clock - static_cast<std::int64_t>(random() % 8)),
                   "n" + std::to_string(i)};
      if (next.first)
        job.request(names[next.key], next.text.c_str(), next.time);
      else
        job.login(names[next.key], next.text.c_str(), next.time);
      all.push_back(next);
      if (random() % 4 == 0) job.watermark(mark = std::max(mark, clock - 8));
      if (random() % 20 == 0) {
        job.node.checkpoint();
        job.node.restart(1 + random() % 3);
        job.watermark(mark);
      }
    }
    job.watermark(clock + 100);
    Lines results = job.results();
    std::sort(results.begin(), results.end());
    CHECK(results == brute_force(all, when, pairs));
    CHECK(job.node.live_keys() == 0);
    job.node.checkpoint();
    CHECK(job.node.rows.empty());
  }
}

TEST_CASE("of keys that come between two checkpoints those that stay are written, whoever goes") {
  std::mt19937 dice(5);
  for (int round = 0; round < 20; ++round) {
    Joined job(settings({{"unmatched", scalar("keep")}}));
    std::vector<std::string> stay;
    for (int k = 0; k < 30; ++k) {
      const std::string key = "k" + std::to_string(k);
      const bool stays = dice() % 2 == 0;
      job.request(key.c_str(), "/1", stays ? 100 : static_cast<std::int64_t>(dice() % 50));
      if (stays) stay.push_back(key);
    }
    for (const std::int64_t second : {20, 40, 90}) job.watermark(second);
    job.node.checkpoint();
    job.node.restart(1);
    CHECK(job.node.live_keys() == stay.size());
    job.node.out().batches.clear();
    for (const std::string& key : stay) job.login(key.c_str(), "eve", 100);
    CHECK(job.results() == Lines(stay.size(), "/1 by eve at 100"));
  }
}

TEST_CASE("many keys that come and go between two checkpoints cost a step each") {
  // Looking through all that changed for each that goes takes forty times as long.
  constexpr int kKeys = 200'000;
  Joined job(settings({{"max_keys", scalar(std::to_string(kKeys))}}));
  std::vector<std::string> keys;
  for (int k = 0; k < kKeys; ++k) keys.push_back(std::to_string(k));
  std::vector<Column> columns(5);
  for (const std::string& key : keys) {
    columns[0].push_back(Value::string(key));
    for (std::size_t c = 1; c < 4; ++c) columns[c].push_back(Value());
    columns[4].push_back(Value::int64(0));
  }
  job.node.records(columns, std::vector<std::int64_t>(kKeys, kSecond));
  CHECK(job.node.live_keys() == kKeys);
  job.watermark(100);
  CHECK(job.node.live_keys() == 0);
  job.node.checkpoint();
  CHECK(job.node.rows.empty());
}
