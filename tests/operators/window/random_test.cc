// SPDX-License-Identifier: Apache-2.0
// Random streams against the oracle: kinds of windows, all aggregates, several partitions with
// disorder, one of them idle at times, late, far-future and duplicate records, random batches,
// checkpoints, restarts, other numbers of workers.
#include "tests/operators/window/harness.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <random>

namespace streamd::test {
namespace {

struct Scenario {
  OracleRules rules;
  ConfigNode config;
  std::int64_t unit = 1;  // a typical step of time
  std::string text;
};

constexpr std::int64_t kMs = 1000;

std::string ms(std::int64_t micros) { return std::to_string(micros / kMs) + "ms"; }

// What workers may send each other: batches; sums, of windows with nothing but what can be added
// up, told when they close; of each record what the window needs, when no values are counted. No
// sessions but in batches.
enum class Travels { batches, sums, records };

Scenario make_scenario(std::mt19937& random, Travels travels = Travels::batches) {
  const bool sums = travels == Travels::sums, batches = travels == Travels::batches;
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  Scenario s;
  std::vector<std::pair<std::string, ConfigNode>> entries;
  const auto kind = pick(0, batches ? 3 : 2);
  if (kind == 0) {
    s.rules.size = s.rules.every = pick(1, 20) * kMs;
    entries.emplace_back("window", map_of({{"tumbling", scalar(ms(s.rules.size))}}));
    s.unit = s.rules.size;
    s.text = "tumbling " + ms(s.rules.size);
  } else if (kind <= 2) {
    s.rules.every = pick(1, 6) * kMs;
    s.rules.size = kind == 1 ? s.rules.every * pick(1, 6) : s.rules.every + pick(0, 20) * kMs;
    entries.emplace_back("window", map_of({{"sliding", scalar(ms(s.rules.size))},
                                           {"every", scalar(ms(s.rules.every))}}));
    s.unit = s.rules.every;
    s.text = "sliding " + ms(s.rules.size) + " every " + ms(s.rules.every);
  } else {
    s.rules.gap = pick(2, 8) * kMs;
    s.rules.max = s.rules.gap * pick(1, 5);
    entries.emplace_back("window",
                         map_of({{"session", map_of({{"gap", scalar(ms(s.rules.gap))},
                                                     {"max", scalar(ms(s.rules.max))}})}}));
    s.unit = s.rules.gap / 2;
    s.text = "session " + ms(s.rules.gap) + " max " + ms(s.rules.max);
  }
  entries.emplace_back("by", list_of({"k"}));
  std::vector<std::pair<std::string, ConfigNode>> computes;
  const auto compute = [&](const char* name, const char* call, bool in_all) {
    if (in_all || batches) computes.emplace_back(name, scalar(call));
  };
  compute("n", "count()", true);
  compute("s", "sum(x)", true);
  compute("a", "avg(x)", true);
  compute("mn", "min(x)", true);
  compute("mx", "max(x)", true);
  compute("d", "distinct(x)", false);
  compute("f", "first(x)", false);
  compute("l", "last(x)", false);
  compute("t", "top(x, 3)", false);
  compute("r", "rate()", true);
  compute("h", "entropy(x)", false);
  compute("sh", "share(has(x) && x != null && x > 5)", true);
  compute("q", "quantile(x, 0.5)", travels == Travels::records);
  entries.emplace_back("compute", map_of(std::move(computes)));
  // Of alerts it depends on the order of records when they come.
  const auto emits = sums ? 0 : batches ? pick(0, 2) : 2 * pick(0, 1);
  s.rules.emits = emits == 0 ? Emits::close : emits == 1 ? Emits::threshold : Emits::changed;
  // A session is closed once: changed is close.
  const char* names[] = {"close", "threshold", "changed"};
  entries.emplace_back("emit", scalar(names[emits]));
  s.text += std::string(" ") + names[emits];
  // 1: so many records; 2: the largest value; 3: both, and then too few records decide alone; 4: so
  // many values; 5: so many values and records.
  const auto having = pick(emits == 1 ? 1 : 0, batches ? 5 : 3);
  std::string text;
  if (having == 1 || having == 3 || having == 5) {
    s.rules.more_than = pick(0, 5);
    text = pick(0, 1) ? "n > " + std::to_string(*s.rules.more_than)
                      : "n >= " + std::to_string(*s.rules.more_than + 1);
  }
  if (having >= 4) {
    s.rules.different = pick(0, 8);
    const std::string values = "d > " + std::to_string(*s.rules.different);
    text = text.empty() ? values : pick(0, 1) ? text + " && " + values : values + " && " + text;
  }
  if (having == 2 || having == 3) {
    s.rules.above = static_cast<double>(pick(0, 8));
    // window_end makes it one of those that are evaluated for every key.
    const std::string largest = std::string("mx != null && mx > ") + show(*s.rules.above) + ".0" +
                                (pick(0, 2) == 0 ? " && window_end > window_start" : "");
    text = text.empty() ? largest : pick(0, 1) ? text + " && " + largest : largest + " && " + text;
  }
  if (!text.empty()) {
    entries.emplace_back("having", scalar(text));
    s.text += " " + text;
  }
  s.config = map_of(std::move(entries));
  return s;
}

struct Partition {
  std::int64_t now = 0;
  std::int64_t seen = INT64_MIN;  // largest time
  bool idle = false;
};

class Stream {
 public:
  Stream(std::mt19937& random, const Scenario& scenario) : random_(random), unit_(scenario.unit) {
    partitions_.resize(static_cast<std::size_t>(pick(1, 3)));
    delay_ = pick(0, 3) * unit_;
    disorder_ = pick(0, 1) ? delay_ : delay_ + pick(0, 20) * unit_;
    keys_ = static_cast<int>(pick(1, 6));
    const std::int64_t start = pick(0, 2) == 0 ? -20 * unit_ : 1'600'000'000'000'000;
    for (auto& p : partitions_) p.now = start;
  }
  OracleRecord next() {
    Partition& p = partitions_[static_cast<std::size_t>(
        pick(0, static_cast<std::int64_t>(partitions_.size()) - 1))];
    p.idle = false;
    p.now += pick(0, 9) == 0 ? pick(0, 40) * unit_ : pick(0, unit_);
    OracleRecord r;
    r.floor = p.seen == INT64_MIN ? INT64_MIN : p.seen - delay_;
    r.time = p.now - pick(0, std::max<std::int64_t>(disorder_, 1));
    if (pick(0, 200) == 0) r.time += 100 * unit_;
    if (pick(0, 60) == 0) r.time = (r.time / unit_) * unit_;  // exactly on a boundary
    p.seen = std::max(p.seen, r.time);
    constexpr std::size_t lengths[] = {0, 7, 20};
    r.key = "k" + std::string(lengths[pick(0, 2)], 'y') + std::to_string(pick(0, keys_));
    const auto x = pick(-6, 20);
    if (x == 20)
      r.whole = true;  // null
    else if (x != 19) {
      r.whole = x % 2 == 0;
      r.x = static_cast<double>(x) / 2;
      if (!r.whole && x % 2 == 0) r.x = *r.x + 0.5;
    }
    if (r.whole && r.x && *r.x != static_cast<double>(static_cast<std::int64_t>(*r.x)))
      r.whole = false;
    if (!r.whole && r.x && *r.x == static_cast<double>(static_cast<std::int64_t>(*r.x)))
      r.whole = true;
    return r;
  }
  std::int64_t watermark() {
    if (pick(0, 5) == 0)
      partitions_[static_cast<std::size_t>(
                      pick(0, static_cast<std::int64_t>(partitions_.size()) - 1))]
          .idle = true;
    std::int64_t w = INT64_MAX;
    for (const auto& p : partitions_)
      if (!p.idle) w = std::min(w, p.seen == INT64_MIN ? INT64_MIN : p.seen - delay_);
    if (w == INT64_MAX) w = INT64_MIN;
    watermark_ = std::max(watermark_, w);
    return watermark_;
  }
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }

 private:
  std::mt19937& random_;
  std::int64_t unit_, delay_ = 0, disorder_ = 0;
  int keys_ = 1;
  std::int64_t watermark_ = INT64_MIN;
  std::vector<Partition> partitions_;
};

void compare(const Scenario& scenario, unsigned seed, Oracle& oracle, Kept& out, bool ordered) {
  auto& expected = oracle.rows;
  auto& actual = out.rows;
  if (!ordered) {
    std::sort(expected.begin(), expected.end());
    std::sort(actual.begin(), actual.end());
  }
  INFO("seed " << seed << ": " << scenario.text);
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    INFO("row " << i);
    REQUIRE(actual[i].exact == expected[i].exact);
    REQUIRE(actual[i].quantile.has_value() == expected[i].quantile.has_value());
    if (expected[i].quantile)
      REQUIRE(std::abs(*actual[i].quantile - *expected[i].quantile) <=
              std::abs(*expected[i].quantile) * 0.0101 + 1e-12);
  }
  if (actual.size() > expected.size()) INFO("first extra: " << actual[expected.size()].exact);
  if (actual.size() < expected.size()) INFO("first missing: " << expected[actual.size()].exact);
  REQUIRE(actual.size() == expected.size());
  REQUIRE(out.lateness.size() == oracle.late);
  REQUIRE(out.rejected.empty());
  REQUIRE(out.dropped.empty());
}

void run(unsigned seed, bool restarts, bool reshard) {
  std::mt19937 random(seed);
  const Scenario scenario = make_scenario(random);
  INFO("seed " << seed << ": " << scenario.text);
  Stream stream(random, scenario);
  Oracle oracle(scenario.rules);
  unsigned workers = reshard ? 1 + seed % 3 : 1;
  Node node(scenario.config, workers);
  const int steps = static_cast<int>(stream.pick(5, 40));
  for (int step = 0; step < steps; ++step) {
    std::vector<OracleRecord> batch;
    for (auto n = stream.pick(1, 12); n > 0; --n) {
      batch.push_back(stream.next());
      oracle.record(batch.back());
    }
    node.records(batch);
    if (stream.pick(0, 2) > 0) {
      const std::int64_t w = stream.watermark();
      oracle.watermark(w);
      node.watermark(w);
    }
    if (restarts && stream.pick(0, 2) == 0) node.checkpoint();
    if (restarts && stream.pick(0, 5) == 0) {
      node.checkpoint();
      if (reshard) workers = workers % 3 + 1;
      node.restart(workers);
    }
  }
  oracle.watermark(INT64_MAX / 4);
  node.watermark(INT64_MAX);
  const bool ordered = workers == 1 && !reshard && scenario.rules.emits != Emits::threshold;
  compare(scenario, seed, oracle, node.out, ordered);
  REQUIRE(node.live_keys() == 0);
}

// Records of one partition, none of them late.
std::vector<OracleRecord> punctual(std::mt19937& random, std::int64_t unit) {
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  const std::int64_t delay = pick(0, 3) * unit;
  std::int64_t now = 0, seen = INT64_MIN;
  std::vector<OracleRecord> records;
  for (auto n = pick(20, 200); n > 0; --n) {
    OracleRecord r;
    now += pick(0, 14) == 0 ? pick(0, 30) * unit : pick(0, unit);
    r.time = now - pick(0, delay);
    r.key = std::string(1, static_cast<char>('a' + pick(0, 2)));
    r.x = static_cast<double>(pick(0, 9));
    r.whole = true;
    r.floor = seen == INT64_MIN ? INT64_MIN : seen - delay;
    if (r.time < r.floor) continue;
    seen = std::max(seen, r.time);
    records.push_back(r);
  }
  return records;
}

std::vector<std::string> sorted_rows(const Node& node) {
  std::vector<std::string> rows;
  for (const auto& row : node.out.rows) rows.push_back(row.exact);
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

TEST_CASE("alerts do not depend on how soon the watermark follows the records", "[window]") {
  int tried = 0;
  for (unsigned seed = 3001; seed <= 3400; ++seed) {
    std::mt19937 random(seed);
    const Scenario scenario = make_scenario(random);
    if (scenario.rules.gap > 0 || scenario.rules.emits != Emits::threshold) continue;
    INFO("seed " << seed << ": " << scenario.text);
    const auto records = punctual(random, scenario.unit);
    Node at_once(scenario.config, 1), close_behind(scenario.config, 1);
    at_once.records(records);
    for (std::size_t i = 0; i < records.size(); ++i) {
      close_behind.records({records[i]});
      if (i + 1 < records.size()) close_behind.watermark(records[i + 1].floor);
      if (i % 7 == 0) close_behind.checkpoint();
      if (i % 21 == 0) close_behind.restart(1);
    }
    at_once.watermark(INT64_MAX);
    close_behind.watermark(INT64_MAX);
    CHECK(sorted_rows(at_once) == sorted_rows(close_behind));
    ++tried;
  }
  CHECK(tried > 50);
}

// How many records there were, and of these came late, were added up, were relayed.
struct Travelled {
  std::size_t records = 0, late = 0, summed = 0, relayed = 0;
};

// The same streams to one worker and to several.
Travelled compare_with_one(Travels travels, unsigned first, unsigned last) {
  Travelled all;
  for (unsigned seed = first; seed <= last; ++seed) {
    std::mt19937 random(seed);
    const Scenario scenario = make_scenario(random, travels);
    INFO("seed " << seed << ": " << scenario.text);
    Stream stream(random, scenario);
    unsigned workers = 2 + seed % 3;
    Node one(scenario.config, 1), several(scenario.config, workers);
    for (auto steps = stream.pick(3, 12); steps > 0; --steps) {
      std::vector<OracleRecord> batch;
      for (auto n = stream.pick(1, 300); n > 0; --n) batch.push_back(stream.next());
      all.records += batch.size();
      one.records(batch);
      several.combined(batch);
      if (stream.pick(0, 2) > 0) {
        const std::int64_t w = stream.watermark();
        one.watermark(w);
        several.watermark(w);
      }
      if (stream.pick(0, 2) == 0) {
        one.checkpoint();
        several.checkpoint();
      }
      if (stream.pick(0, 4) == 0) {
        one.checkpoint();
        several.checkpoint();
        workers = 2 + workers % 3;
        one.restart(1);
        several.restart(workers);
      }
    }
    one.watermark(INT64_MAX);
    several.watermark(INT64_MAX);
    REQUIRE(sorted_rows(one) == sorted_rows(several));
    std::sort(one.out.lateness.begin(), one.out.lateness.end());
    std::sort(several.out.lateness.begin(), several.out.lateness.end());
    REQUIRE(one.out.lateness == several.out.lateness);
    REQUIRE(several.live_keys() == 0);
    REQUIRE(several.out.dropped.empty());
    all.late += several.out.lateness.size();
    all.summed += several.summed;
    all.relayed += several.relayed;
  }
  return all;
}

TEST_CASE("what several workers have added up gives the rows of one", "[window]") {
  const Travelled all = compare_with_one(Travels::sums, 4001, 4300);
  CHECK(all.summed > all.records / 6);
  CHECK(all.late > all.records / 100);
}

TEST_CASE("what workers relay of records gives the rows of one", "[window]") {
  const Travelled all = compare_with_one(Travels::records, 5001, 5300);
  CHECK(all.relayed > all.records / 6);
  CHECK(all.late > all.records / 100);
}

TEST_CASE("random streams give the rows of the oracle", "[window]") {
  for (unsigned seed = 1; seed <= 300; ++seed) run(seed, false, false);
  // Alerts of keys with records that waited for a boundary.
  for (const unsigned seed : {2820u, 3600u}) run(seed, false, false);
}

TEST_CASE("random streams with checkpoints and restarts give the rows of the oracle", "[window]") {
  for (unsigned seed = 1001; seed <= 1300; ++seed) run(seed, true, false);
}

TEST_CASE("random streams that change the number of workers give the rows of the oracle",
          "[window]") {
  for (unsigned seed = 2001; seed <= 2200; ++seed) run(seed, true, true);
}

}  // namespace streamd::test
