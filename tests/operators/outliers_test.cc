// SPDX-License-Identifier: Apache-2.0
#include "operators/value_window.h"
#include "tests/operators/keyed_node.h"

#include <cmath>
#include <limits>
#include <random>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

ConfigNode settings(std::vector<std::pair<std::string, ConfigNode>> more) {
  more.insert(more.begin(), {{"field", scalar("x")},
                             {"by", list_of({"k"})},
                             {"window", scalar("100s")},
                             {"min_samples", scalar("4")}});
  return map_of(std::move(more));
}

void add(KeyedNode& node, const char* key, double x, std::int64_t second) {
  node.records({{Value::string(key)}, {Value::float64(x)}}, {second * kSecond});
}

// By the definition, over all values.
double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const auto above = static_cast<std::size_t>(std::ceil(at));
  return values[below] + (values[above] - values[below]) * (at - std::floor(at));
}

}  // namespace

TEST_CASE("A value far from those before it is marked, with the bounds that held") {
  KeyedNode node("outliers", settings({}), open_schema({"k", "x"}));
  for (int i = 0; i < 4; ++i) add(node, "a", 10 + i, i);
  add(node, "a", 11.5, 5);
  add(node, "a", 40, 6);
  add(node, "b", 40, 6);
  const auto marks = node.given("outlier");
  REQUIRE(marks.size() == 7);
  for (int i = 0; i < 4; ++i) CHECK(marks[static_cast<std::size_t>(i)].is(Kind::missing));
  CHECK_FALSE(marks[4].as_bool());
  CHECK(marks[5].as_bool());
  CHECK(marks[6].is(Kind::missing));
  CHECK(node.given("outlier_low")[4].as_double() == Approx(10.75 - 1.5 * 1.5));
  CHECK(node.given("outlier_high")[4].as_double() == Approx(12.25 + 1.5 * 1.5));
}

TEST_CASE("Outliers by standard deviation can be dropped") {
  KeyedNode node(
      "outliers",
      settings(
          {{"method", scalar("zscore")}, {"threshold", scalar("2")}, {"action", scalar("drop")}}),
      open_schema({"k", "x"}));
  for (const double x : {1.0, 3.0, 1.0, 3.0, 4.4, 10.0}) add(node, "a", x, 1);
  CHECK(node.given("x").size() == 4);
  CHECK(node.out().dropped[DropReason::filtered] == 2);
  CHECK_FALSE(node.node.ports.out.find("outlier"));
}

TEST_CASE("Fixed bounds need no state") {
  OperatorFixture f("outliers",
                    map_of({{"field", scalar("x")},
                            {"method", scalar("bounds")},
                            {"high", scalar("5")},
                            {"as", scalar("odd")}}),
                    open_schema({"x"}));
  CHECK_FALSE(f.plan->stateful());
  f.run(batch_of({{Value::int64(5), Value::uint64(6), Value::float64(kNan), Value::missing(),
                   Value::null(), Value::string("7")}}));
  REQUIRE(f.out.batches[0].size() == 5);
  CHECK_FALSE(f.value("odd", 0).as_bool());
  CHECK(f.value("odd", 1).as_bool());
  CHECK(f.value("odd", 2).as_bool());
  CHECK(f.value("odd", 3).is(Kind::missing));
  CHECK(f.value("odd", 4).is(Kind::missing));
  CHECK(f.value("odd_high", 0).as_double() == 5);
  CHECK(f.value("odd_low", 0).is(Kind::missing));
  REQUIRE(f.out.rejected.size() == 1);
  CHECK(f.out.rejected[0].code == "type");
}

TEST_CASE("NaN and infinity are outliers and never join the others") {
  KeyedNode node("outliers", settings({}), open_schema({"k", "x"}));
  for (const double x : {1.0, kNan, 2.0, HUGE_VAL, 3.0, -HUGE_VAL, 2.0, 2.0}) add(node, "a", x, 1);
  const auto marks = node.given("outlier");
  CHECK(marks[1].as_bool());
  CHECK(marks[3].as_bool());
  CHECK(marks[5].as_bool());
  CHECK(marks[6].is(Kind::missing));
  CHECK_FALSE(marks[7].as_bool());
}

TEST_CASE("Values leave the window with event time and survive a kill") {
  KeyedNode node("outliers", settings({}), open_schema({"k", "x"}), 2);
  for (int i = 0; i < 8; ++i) add(node, "a", 10 + i % 2, i);
  node.checkpoint();
  add(node, "a", 1000, 9);
  node.restart(3);
  add(node, "a", 50, 10);
  CHECK(node.given("outlier").back().as_bool());
  add(node, "a", 51, 109);
  CHECK(node.given("outlier").back().is(Kind::missing));
  add(node, "a", 0, 1);
  CHECK(node.live_keys() == 1);
  node.watermark(300 * kSecond);
  node.checkpoint();
  CHECK(node.live_keys() == 0);
  CHECK(node.rows.empty());
}

TEST_CASE("The fences are those of the definition over the newest values") {
  std::mt19937 random(3);
  ValueWindow window;
  std::vector<std::pair<std::int64_t, double>> all;
  for (std::int64_t n = 0; n < 500; ++n) {
    const std::int64_t time = n * 10 + static_cast<std::int64_t>(random() % 50);
    const double value = static_cast<double>(random() % 100);
    window.advance(time, 1000);
    window.add(time, value, 1000, 64);
    all.emplace_back(time, value);
    if (n % 50 == 49) {
      std::string bytes;
      window.encode(bytes);
      ValueWindow again;
      REQUIRE(again.decode(bytes));
      window = again;
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<double> values;
    for (auto at = all.rbegin(); at != all.rend() && values.size() < 64; ++at)
      if (at->first > all.back().first - 1000) values.push_back(at->second);
    REQUIRE(window.size() == values.size());
    if (values.size() < 2) continue;
    const double first = quantile(values, 0.25), third = quantile(values, 0.75);
    CHECK(window.quartile_fence(1.5).low == Approx(first - 1.5 * (third - first)));
    CHECK(window.quartile_fence(1.5).high == Approx(third + 1.5 * (third - first)));
    double mean = 0, squares = 0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    for (const double v : values) squares += (v - mean) * (v - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
    CHECK(window.deviation_fence(3).high == Approx(mean + 3 * deviation));
    const double median = quantile(values, 0.5);
    std::vector<double> distances;
    for (const double v : values) distances.push_back(std::abs(v - median));
    CHECK(window.robust_centre().middle == median);
    CHECK(window.robust_centre().spread == 1.4826 * quantile(distances, 0.5));
  }
}

TEST_CASE("Damaged samples are refused") {
  ValueWindow window;
  window.add(5, 1.5, 100, 10);
  window.add(6, 2.5, 100, 10);
  std::string bytes;
  window.encode(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(ValueWindow().decode(std::string_view(bytes).substr(0, size)));
  CHECK_FALSE(ValueWindow().decode(bytes + "x"));
  CHECK(ValueWindow().decode(bytes));
}

TEST_CASE("Wrong settings of outliers are reported") {
  const auto errors = [](std::vector<std::pair<std::string, ConfigNode>> more) {
    more.emplace_back("field", scalar("x"));
    return OperatorFixture("outliers", map_of(std::move(more)), open_schema({"x", "outlier_low"}))
        .problems.errors();
  };
  CHECK(errors({}) == 1);
  CHECK(errors({{"method", scalar("bounds")}}) == 1);
  for (const char* key : {"threshold", "window", "min_samples", "max_samples"}) {
    CAPTURE(key);
    const char* value = key == std::string("window") ? "1m" : "30";
    CHECK(errors({{"method", scalar("bounds")},
                  {"low", scalar("1")},
                  {"as", scalar("o")},
                  {key, scalar(value)}}) == 1);
  }
  CHECK(errors({{"window", scalar("1m")}, {"low", scalar("1")}, {"as", scalar("o")}}) == 1);
  CHECK(errors({{"window", scalar("1m")}, {"threshold", scalar("0")}, {"as", scalar("o")}}) == 1);
  CHECK(errors({{"window", scalar("1m")}, {"max_samples", scalar("3")}, {"as", scalar("o")}}) == 1);
  CHECK(errors({{"window", scalar("1m")}}) == 1);
  CHECK(errors({{"window", scalar("1m")}, {"as", scalar("o")}}) == 0);
}
