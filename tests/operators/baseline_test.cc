// SPDX-License-Identifier: Apache-2.0
#include "operators/usual.h"
#include "operators/window/varint.h"
#include "tests/operators/keyed_node.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr std::int64_t kSecond = 1'000'000, kHour = 3600 * kSecond;

ConfigNode settings(std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(),
              {{"field", scalar("x")}, {"by", list_of({"k"})}, {"min_samples", scalar("4")}});
  return map_of(std::move(more));
}

void add(KeyedNode& node, const char* key, double x, std::int64_t micros) {
  node.records({{Value::string(key)}, {Value::float64(x)}}, {micros});
}

// By the definition: every value with its own weight.
Centre weighted(const std::vector<std::pair<std::int64_t, double>>& values, double half_life) {
  double all = 0, mean = 0, squares = 0;
  const std::int64_t now = values.back().first;
  const auto weight = [&](std::int64_t time) {
    return std::exp2(-static_cast<double>(now - time) / half_life);
  };
  for (const auto& [time, x] : values) all += weight(time);
  for (const auto& [time, x] : values) mean += weight(time) * x / all;
  for (const auto& [time, x] : values) squares += weight(time) * (x - mean) * (x - mean) / all;
  return {mean, std::sqrt(squares)};
}

}  // namespace

TEST_CASE("the decaying mean and deviation are those of the weighted values") {
  std::mt19937_64 dice(3);
  Usual usual;
  std::vector<std::pair<std::int64_t, double>> values;
  std::int64_t time = 0;
  for (int i = 0; i < 200; ++i) {
    time += static_cast<std::int64_t>(dice() % 500);
    values.emplace_back(time, static_cast<double>(dice() % 1000) / 7);
    usual.add(time, values.back().second, 1000);
    const Centre expected = weighted(values, 1000);
    REQUIRE(usual.centre().middle == Approx(expected.middle));
    REQUIRE(usual.centre().spread == Approx(expected.spread).margin(1e-9));
  }
}

TEST_CASE("a value is measured by those before it, once there are enough") {
  KeyedNode node("baseline", settings(), open_schema({"k", "x"}));
  for (const double x : {10.0, 14.0, 10.0, 14.0}) add(node, "a", x, 0);
  add(node, "a", 18, 0);
  add(node, "b", 18, 0);
  const auto expected = node.given("expected"), deviation = node.given("expected_deviation");
  CHECK(expected[3].is(Kind::missing));
  CHECK(expected[4].as_double() == Approx(12));
  CHECK(deviation[4].as_double() == Approx(3));
  CHECK(expected[5].is(Kind::missing));
}

TEST_CASE("what is far away does not become the usual thing") {
  KeyedNode node("baseline",
                 settings({{"ignore_above", scalar("5")}, {"least_spread", scalar("2")}}),
                 open_schema({"k", "x"}));
  for (int i = 0; i < 4; ++i) add(node, "a", 10, 0);
  for (int i = 0; i < 50; ++i) add(node, "a", 1000, kSecond);
  CHECK(node.given("expected").back().as_double() == Approx(10));
  CHECK(node.given("expected_deviation").back().as_double() == Approx(495));
  add(node, "a", 20, kSecond);  // 5 spreads: joins
  add(node, "a", 10, kSecond);
  CHECK(node.given("expected").back().as_double() > 10);
}

TEST_CASE("without any spread there is nothing to measure by") {
  KeyedNode node("baseline", settings(), open_schema({"k", "x"}));
  for (int i = 0; i < 5; ++i) add(node, "a", 3, 0);
  CHECK(node.given("expected_deviation")[4].as_double() == 0);
  add(node, "a", 4, 0);
  CHECK(node.given("expected")[5].as_double() == 3);
  CHECK(node.given("expected_deviation")[5].is(Kind::missing));
}

TEST_CASE("median and distance from it are exact and not moved by wild values") {
  KeyedNode node("baseline", settings({{"method", scalar("median")}, {"window", scalar("100s")}}),
                 open_schema({"k", "x"}));
  for (const double x : {1.0, 2.0, 3.0, 4.0, 1e9}) add(node, "a", x, 0);
  add(node, "a", 5, kSecond);
  CHECK(node.given("expected")[5].as_double() == 3);
  CHECK(node.given("expected_deviation")[5].as_double() == Approx(2 / 1.4826));
  add(node, "a", 5, 200 * kSecond);  // nothing is left in the window
  CHECK(node.given("expected")[6].is(Kind::missing));
}

TEST_CASE("each hour of the day has its own past") {
  KeyedNode node("baseline", settings({{"method", scalar("seasonal")}}), open_schema({"k", "x"}));
  for (std::int64_t day = 0; day < 5; ++day) {
    add(node, "a", 100 + static_cast<double>(day % 2), (day * 24 + 3) * kHour);
    add(node, "a", 5, (day * 24 + 15) * kHour);
  }
  const auto expected = node.given("expected");
  CHECK(expected[8].as_double() == Approx(100.5).margin(0.1));
  CHECK(expected[9].as_double() == Approx(5));
  add(node, "a", 5, (5 * 24 + 3) * kHour);
  CHECK(node.given("expected_deviation").back().as_double() < -100);
  add(node, "a", 1, -21 * kHour);  // 1969-12-31T03:00, the same hour
  CHECK(node.given("expected").back().as_double() > 10);
}

TEST_CASE("the past survives a restart with another number of workers") {
  for (const char* method : {"ewma", "median", "seasonal"}) {
    KeyedNode node("baseline", settings({{"method", scalar(method)}}), open_schema({"k", "x"}), 3);
    for (const char* key : {"a", "b", "c"})
      for (const double x : {10.0, 14.0, 10.0, 14.0}) add(node, key, x, kSecond);
    node.checkpoint();
    node.restart(2);
    for (const char* key : {"a", "b", "c"}) add(node, key, 12, kSecond);
    const auto expected = node.given("expected");
    for (std::size_t i = 12; i < 15; ++i) CHECK(expected[i].as_double() == Approx(12));
    node.checkpoint();
    node.rows.begin()->second.pop_back();
    CHECK(node.restart_error().find("damaged") != std::string::npos);
  }
}

TEST_CASE("a value that would overflow is judged but changes nothing, and the state is readable") {
  for (const char* method : {"ewma", "seasonal"}) {
    KeyedNode node("baseline", settings({{"method", scalar(method)}}), open_schema({"k", "x"}));
    add(node, "a", 1e200, 0);
    for (const double x : {10.0, 14.0, 10.0, 14.0}) add(node, "a", x, 0);
    for (const double x : {1e200, -1e308, 1e308}) add(node, "a", x, kSecond);
    for (const double x : {-1e308, 1e308}) add(node, "b", x, 0);
    CHECK(node.given("expected_deviation")[5].as_double() > 1e199);
    node.checkpoint();
    CHECK(node.restart_error().empty());
    node.restart(1);
    add(node, "a", 12, 0);
    CHECK(node.given("expected").back().as_double() == Approx(12));
  }
}

TEST_CASE("a stored mean or variance that had overflowed is forgotten, what follows it is not") {
  const auto stored = [](double weight, double mean, double variance) {
    std::string bytes;
    window::put_varint(bytes, 5);
    window::put_signed(bytes, kSecond);
    for (const double value : {weight, mean, variance})
      window::put_varint(bytes, std::bit_cast<std::uint64_t>(value));
    return bytes;
  };
  for (const auto& [mean, variance] :
       {std::pair{1.0, HUGE_VAL}, std::pair{1.0, std::nan("")}, std::pair{-HUGE_VAL, 1.0}}) {
    const std::string bytes = stored(2, mean, variance) + stored(2, 7, 4);
    std::string_view in = bytes;
    Usual overflowed, sound;
    REQUIRE(overflowed.decode(in));
    REQUIRE(sound.decode(in));
    CHECK(in.empty());
    CHECK(overflowed.samples() == 0);
    CHECK(sound.centre().middle == 7);
    overflowed.add(0, 3, 1000);
    CHECK(overflowed.centre().middle == 3);
  }
  for (const double weight : {0.5, HUGE_VAL, std::nan("")}) {
    const std::string bytes = stored(weight, 7, 4);
    std::string_view in = bytes;
    CHECK_FALSE(Usual().decode(in));
  }
}

TEST_CASE("settings that the method does not look at are refused") {
  const auto errors = [](const char* method, const char* key, const char* value) {
    return OperatorFixture(
               "baseline",
               map_of({{"field", scalar("x")}, {"method", scalar(method)}, {key, scalar(value)}}),
               open_schema({"x"}))
        .problems.errors();
  };
  for (const char* method : {"ewma", "seasonal"}) {
    CHECK(errors(method, "window", "10m") == 1);
    CHECK(errors(method, "max_samples", "100") == 1);
    CHECK(errors(method, "half_life", "10m") == 0);
  }
  CHECK(errors("median", "window", "10m") == 0);
  CHECK(errors("median", "max_samples", "100") == 0);
  CHECK(errors("median", "half_life", "10m") == 1);
}

TEST_CASE("a record without the number passes, and one with something else does not") {
  KeyedNode node("baseline", settings(), open_schema({"k", "x"}));
  node.records({{Value::string("a"), Value::string("a"), Value::string("a"), Value::string("a")},
                {Value::missing(), Value::null(), Value::string("7"), Value::float64(NAN)}},
               {0, 0, 0, 0});
  CHECK(node.given("x").size() == 2);
  REQUIRE(node.out().rejected.size() == 2);
  CHECK(node.out().rejected[0].code == "type");
}
