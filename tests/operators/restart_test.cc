// SPDX-License-Identifier: Apache-2.0
// Every operator with state, on random records: killed at random, going on from its last checkpoint
// with another number of workers, it gives what it gives in one piece.
#include "engine/codec/encode.h"
#include "tests/operators/keyed_node.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <memory>
#include <random>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

struct Step {
  std::vector<Column> columns;
  std::vector<std::int64_t> times;
  std::int64_t watermark;
};

ConfigNode by_key(std::vector<std::pair<std::string, ConfigNode>> more) {
  more.insert(more.begin(), {"by", list_of({"k"})});
  return map_of(std::move(more));
}

struct Subject {
  std::string name;
  std::string type;
  ConfigNode fields;
  bool joins = false;

  std::unique_ptr<KeyedNode> node(unsigned workers) const {
    if (!joins)
      return std::make_unique<KeyedNode>(
          type, fields, open_schema({"k", "x", "reason", "weight", "note"}), workers);
    const auto side = [](const char* key, const char* value) {
      Schema schema;
      for (const char* field : {key, value}) schema.fields.push_back({field, Type::any, false});
      return schema;
    };
    return std::make_unique<KeyedNode>(
        type, fields, std::vector<Schema>{side("k", "x"), side("ip", "user")}, workers);
  }
};

Subject join(std::string name, std::vector<std::pair<std::string, ConfigNode>> more) {
  more.insert(more.end(), {{"second_by", list_of({"ip"})},
                           {"within", scalar("15s")},
                           {"take", map_of({{"who", scalar("user")}})}});
  return {std::move(name), "join", by_key(std::move(more)), true};
}

std::vector<Subject> subjects() {
  const auto s = [](const char* text) { return scalar(text); };
  return {
      {"dedupe", "dedupe", by_key({{"within", s("20s")}})},
      {"dedupe after silence", "dedupe",
       by_key({{"within", s("20s")}, {"keep", s("after_silence")}})},
      {"first_seen", "first_seen", by_key({{"forget", s("30s")}})},
      {"throttle", "throttle", by_key({{"rate", s("1")}, {"per", s("10s")}, {"burst", s("2")}})},
      {"absent", "absent", by_key({{"for", s("15s")}, {"back", s("true")}})},
      {"baseline", "baseline", by_key({{"field", s("x")}, {"least_spread", s("1")}})},
      {"baseline, seasonal", "baseline",
       by_key({{"field", s("x")}, {"method", s("seasonal")}, {"min_samples", s("3")}})},
      {"outliers", "outliers", by_key({{"field", s("x")}, {"window", s("30s")}})},
      {"outliers, zscore", "outliers",
       by_key({{"field", s("x")}, {"window", s("30s")}, {"method", s("zscore")}})},
      {"fill", "fill",
       by_key({{"fields", map_of({{"note", map_of({{"last", s("true")}})}})}, {"keep", s("40s")}})},
      {"score", "score", by_key({{"within", s("25s")}, {"at_least", s("5")}})},
      {"score, every", "score",
       by_key({{"within", s("25s")}, {"at_least", s("5")}, {"emit", s("every")}})},
      join("join, newest before", {{"when", s("before")}, {"pairs", s("newest")}}),
      join("join, each", {{"pairs", s("each")}}),
      join("join, or alone", {{"unmatched", s("keep")}}),
  };
}

// Short ones and long ones.
const std::array<std::string, 12> kKeys = [] {
  std::array<std::string, 12> keys;
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = "k" + std::string(i * 5, '+') + "end";
  return keys;
}();
using Dice = std::function<unsigned(unsigned limit)>;

// k, x, reason, weight, note.
std::vector<Value> random_record(const Dice& below) {
  static constexpr const char* kReasons[] = {"errors", "flood", "urls"};
  return {Value::string(kKeys[below(kKeys.size())]),
          Value::float64(below(20) == 0 ? 1000.0 : 10.0 + below(5)),
          Value::string(kReasons[below(3)]), Value::float64(below(4)),
          below(2) == 0 ? Value::missing() : Value::string("noted")};
}

// k and x, or ip and user; then which of them.
std::vector<Value> random_side(bool first, const Dice& below) {
  const Value key = Value::string(kKeys[below(kKeys.size())]);
  if (first) return {key, Value::int64(below(5)), Value(), Value(), Value::int64(0)};
  return {Value(), Value(), key, Value::int64(below(5)), Value::int64(1)};
}

std::vector<Step> random_steps(bool joins, std::mt19937& random) {
  const Dice below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  std::vector<Step> steps;
  std::int64_t now = 1000 * kSecond;
  for (int n = 0; n < 120; ++n) {
    // Now and then a long silence.
    now += (below(15) == 0 ? 60 : below(4)) * kSecond + below(1000) * 1000;
    Step step{std::vector<Column>(5), {}, now - 3 * kSecond};
    const bool first = below(2) == 0;
    for (unsigned count = below(7); count > 0; --count) {
      const auto record = joins ? random_side(first, below) : random_record(below);
      for (std::size_t c = 0; c < record.size(); ++c) step.columns[c].push_back(record[c]);
      step.times.push_back(now - static_cast<std::int64_t>(below(3 * kSecond)));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

using Given = std::vector<std::string>;

void take_given(KeyedNode& node, Given& rows) {
  for (const Batch& batch : node.out().batches)
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string row = std::to_string(batch.time(i).micros) + "  ";
      for (std::size_t c = 0; c < batch.columns().size(); ++c) {
        row += batch.at(c, i).is(Kind::missing) ? "-" : "";
        append_json(batch.at(c, i), row);
        row += ' ';
      }
      rows.push_back(std::move(row));
    }
  node.out().batches.clear();
}

void feed(KeyedNode& node, const Step& step) {
  if (!step.times.empty()) node.records(step.columns, step.times);
  node.watermark(step.watermark);
}

Given sorted(Given rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

Given in_one_piece(const Subject& subject, const std::vector<Step>& steps) {
  const auto node = subject.node(1);
  Given rows;
  for (const Step& step : steps) feed(*node, step);
  take_given(*node, rows);
  return sorted(std::move(rows));
}

// What was given since the last checkpoint is taken back, as a sink in transactions does.
Given killed(const Subject& subject, const std::vector<Step>& steps, std::mt19937& random) {
  const auto node = subject.node(1 + random() % 3);
  Given committed, since;
  std::size_t stored = 0;
  for (std::size_t at = 0; at < steps.size(); ++at) {
    feed(*node, steps[at]);
    take_given(*node, since);
    if (random() % 6 == 0) {
      node->checkpoint();
      committed.insert(committed.end(), since.begin(), since.end());
      since.clear();
      stored = at + 1;
    }
    if (random() % 10 == 0) {
      node->restart(1 + random() % 3);
      since.clear();
      at = stored - 1;
    }
  }
  committed.insert(committed.end(), since.begin(), since.end());
  return sorted(std::move(committed));
}

// The first of `wanted` that `given` has not; both sorted.
std::string missing(const Given& given, const Given& wanted) {
  Given lacking;
  std::set_difference(wanted.begin(), wanted.end(), given.begin(), given.end(),
                      std::back_inserter(lacking));
  return lacking.empty() ? "" : lacking.front();
}

}  // namespace

TEST_CASE("What is killed and goes on gives what it gives in one piece") {
  for (const Subject& subject : subjects())
    for (unsigned seed = 1; seed <= 8; ++seed) {
      INFO(subject.name << ", seed " << seed);
      std::mt19937 random(seed);
      const std::vector<Step> steps = random_steps(subject.joins, random);
      const Given whole = in_one_piece(subject, steps);
      const Given pieces = killed(subject, steps, random);
      REQUIRE(!whole.empty());
      CHECK(missing(pieces, whole) == "");
      CHECK(missing(whole, pieces) == "");
    }
}
