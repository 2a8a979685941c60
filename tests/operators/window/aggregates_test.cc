// SPDX-License-Identifier: Apache-2.0
#include "operators/window/aggregates.h"

#include "engine/core/key.h"
#include "operators/window/exact_sum.h"
#include "operators/window/value_order.h"
#include "tests/support/catch.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace streamd::window {
namespace {

struct Sum {
  std::uint64_t words[ExactSum::kWords] = {};
  Sum() = default;
  Sum(const Sum&) = delete;
  Sum& operator=(const Sum&) = delete;
  ~Sum() { ExactSum::free(words); }
};

std::string encoded(const Value& v) {
  std::string bytes;
  append_key(v, bytes);
  return bytes;
}

}  // namespace

TEST_CASE("a sum of doubles does not depend on their order and leaves nothing when they leave",
          "[window]") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> values;
    for (int i = 0; i < 50; ++i) {
      const int exponent = round % 2 ? static_cast<int>(random() % 40) - 20
                                     : static_cast<int>(random() % 1800) - 950;
      const double sign = random() % 2 ? 1 : -1;
      values.push_back(sign * std::ldexp(static_cast<double>(random() >> 11), exponent - 52));
    }
    Sum forward, backward, part;
    for (const double v : values) ExactSum::add_double(forward.words, v);
    for (auto v = values.rbegin(); v != values.rend(); ++v)
      ExactSum::add_double(backward.words, *v);
    CHECK(ExactSum::to_double(forward.words) == ExactSum::to_double(backward.words));
    for (std::size_t i = 0; i < 25; ++i) ExactSum::add_double(part.words, values[i]);
    ExactSum::subtract(forward.words, part.words);
    Sum rest;
    for (std::size_t i = 25; i < 50; ++i) ExactSum::add_double(rest.words, values[i]);
    CHECK(ExactSum::to_double(forward.words) == ExactSum::to_double(rest.words));
    ExactSum::subtract(forward.words, rest.words);
    CHECK(ExactSum::to_double(forward.words) == 0);
  }
}

TEST_CASE("a sum of doubles is the true sum, rounded once", "[window]") {
  Sum sum;
  for (const double v : {1e16, 1.0, 1.0, -1e16}) ExactSum::add_double(sum.words, v);
  CHECK(ExactSum::to_double(sum.words) == 2.0);
  Sum tenths;
  for (int i = 0; i < 10; ++i) ExactSum::add_double(tenths.words, 0.1);
  CHECK(ExactSum::to_double(tenths.words) == 1.0);
  Sum tie;  // 2^53 + 1 rounds to even; a crumb far below breaks the tie
  ExactSum::add_double(tie.words, 0x1p53);
  ExactSum::add_double(tie.words, 1);
  CHECK(ExactSum::to_double(tie.words) == 0x1p53);
  ExactSum::add_double(tie.words, 0x1p-1074);
  CHECK(ExactSum::to_double(tie.words) == 0x1p53 + 2);
  Sum huge;
  const double most = std::numeric_limits<double>::max();
  ExactSum::add_double(huge.words, most);
  ExactSum::add_double(huge.words, most);
  CHECK(std::isinf(ExactSum::to_double(huge.words)));
  ExactSum::add_double(huge.words, -most);
  CHECK(ExactSum::to_double(huge.words) == most);
}

TEST_CASE("a sum of integers beyond 64 bits has no value until enough has left", "[window]") {
  Sum sum, one;
  ExactSum::add_int(sum.words, INT64_MAX);
  CHECK(ExactSum::to_int(sum.words) == INT64_MAX);
  ExactSum::add_int(one.words, 1);
  ExactSum::add(sum.words, one.words);
  CHECK_FALSE(ExactSum::to_int(sum.words));
  ExactSum::subtract(sum.words, one.words);
  CHECK(ExactSum::to_int(sum.words) == INT64_MAX);
  Sum low;
  ExactSum::add_int(low.words, INT64_MIN);
  CHECK(ExactSum::to_int(low.words) == INT64_MIN);
  ExactSum::add_int(low.words, -1);
  CHECK_FALSE(ExactSum::to_int(low.words));
}

TEST_CASE("a sum reads back what it wrote and refuses what it did not", "[window]") {
  for (const double v : {0.1, -3.0, 1e300, -1e-300}) {
    Sum sum, copy;
    ExactSum::add_double(sum.words, v);
    std::string bytes;
    ExactSum::encode(sum.words, bytes);
    std::string_view in = bytes;
    REQUIRE(ExactSum::decode(in, copy.words));
    CHECK(in.empty());
    CHECK(ExactSum::to_double(copy.words) == v);
    for (std::size_t cut = 0; cut < bytes.size(); cut += 5) {
      Sum none;
      std::string_view part = std::string_view(bytes).substr(0, cut);
      CHECK_FALSE(ExactSum::decode(part, none.words));
    }
  }
}

TEST_CASE("values of different kinds have one order", "[window]") {
  const std::vector<Value> ascending = {
      Value::boolean(false),   Value::boolean(true),   Value::int64(INT64_MIN),
      Value::float64(-0.5),    Value::int64(0),        Value::float64(0.5),
      Value::int64(1),         Value::float64(1.0),    Value::uint64(UINT64_MAX),
      Value::float64(1e30),    Value::string(""),      Value::string("Z"),
      Value::string("a"),      Value::timestamp({-5}), Value::timestamp({5}),
      Value::timestamp({5}, 1)};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      INFO(i << " " << j);
      const int order = compare_encoded(encoded(ascending[i]), encoded(ascending[j]));
      CHECK((order < 0) == (i < j));
      CHECK((order == 0) == (i == j));
    }
}

TEST_CASE("each aggregate names what it cannot take", "[window]") {
  const auto nan = Value::float64(std::nan(""));
  const auto infinite = Value::float64(INFINITY);
  CHECK(Aggregates::refuse(Function::sum, Value::string("5")) != nullptr);
  CHECK(Aggregates::refuse(Function::avg, nan) != nullptr);
  CHECK(Aggregates::refuse(Function::quantile, infinite) != nullptr);
  CHECK(Aggregates::refuse(Function::min, nan) != nullptr);
  CHECK(Aggregates::refuse(Function::max, Value::json("{}")) != nullptr);
  CHECK(Aggregates::refuse(Function::first, Value::list(nullptr, 0)) != nullptr);
  CHECK(Aggregates::refuse(Function::count, Value::int64(1)) != nullptr);
  CHECK(Aggregates::refuse(Function::share, Value::int64(1)) != nullptr);
  CHECK(Aggregates::refuse(Function::entropy, Value::list(nullptr, 0)) != nullptr);
  CHECK(Aggregates::refuse(Function::sum, Value::null()) == nullptr);
  CHECK(Aggregates::refuse(Function::min, Value::string("a")) == nullptr);
  CHECK(Aggregates::refuse(Function::distinct, Value::json("{}")) == nullptr);
}

TEST_CASE("entropy is in bits and does not depend on the order of the values", "[window]") {
  const Aggregates aggregates({{"h", Function::entropy, 0, 0, false}});
  const auto entropy = [&](const std::vector<std::string>& texts) {
    std::uint64_t part[1] = {};
    for (const auto& text : texts) {
      const Value value = Value::string(text);
      aggregates.add(part, &value, 0, 0);
    }
    Arena arena;
    const Value result = aggregates.part_result(0, part, texts.size(), 1, arena);
    aggregates.free_part(part);
    return result;
  };
  CHECK(entropy({}).is(Kind::null));
  CHECK(entropy({"a", "a", "a"}).as_double() == 0);
  CHECK(entropy({"a", "b"}).as_double() == 1);
  CHECK(entropy({"a", "b", "c", "d"}).as_double() == 2);
  CHECK(entropy({"a", "b", "b", "b"}).as_double() == Approx(0.811278124459133));
  CHECK(entropy({"b", "a", "c", "b", "a", "b"}).as_double() ==
        entropy({"a", "a", "b", "b", "b", "c"}).as_double());
}

TEST_CASE("computes that count the same values share them, in memory and not on disk", "[window]") {
  const Compute distinct{"d", Function::distinct, 0, 0, false, -1};
  const Aggregates shared(
      {distinct, {"h", Function::entropy, 1, 0, false, 0}, {"t", Function::top, 2, 2, false, 0}});
  const Aggregates apart(
      {distinct, {"h", Function::entropy, 1, 0, false, -1}, {"t", Function::top, 2, 2, false, -1}});
  CHECK(shared.words() == 1);
  CHECK(apart.words() == 3);
  std::mt19937 random(3);
  std::vector<std::uint64_t> one(1), other(1), running(1), three(3);
  const auto result = [](const Aggregates& aggregates, std::uint64_t* words, bool runs) {
    Arena arena;
    std::string text;
    for (std::size_t c = 0; c < 3; ++c)
      append_key(runs ? aggregates.running_result(c, words, 200, 1, arena)
                      : aggregates.part_result(c, words, 200, 1, arena),
                 text);
    return text;
  };
  for (int i = 0; i < 200; ++i) {
    const Value value = Value::int64(static_cast<std::int64_t>(random() % 40));
    const Value inputs[3] = {value, value, value};
    shared.add(i % 2 == 0 ? one.data() : other.data(), inputs, 0, 0);
    apart.add(three.data(), inputs, 0, 0);
  }
  const std::string wanted = result(apart, three.data(), false);
  shared.enter(running.data(), one.data());
  shared.enter(running.data(), other.data());
  CHECK(result(shared, running.data(), true) == wanted);
  shared.leave(running.data(), other.data());
  CHECK(result(shared, running.data(), true) == result(shared, one.data(), false));
  shared.leave(running.data(), one.data());
  CHECK(running[0] == 0);
  shared.merge(one.data(), other.data());
  CHECK(result(shared, one.data(), false) == wanted);
  // Either reads what the other wrote.
  std::uint64_t arrival = 0;
  for (const Aggregates* writer : {&shared, &apart})
    for (const Aggregates* reader : {&shared, &apart}) {
      std::string bytes;
      writer->encode(writer == &shared ? one.data() : three.data(), bytes);
      std::vector<std::uint64_t> words(3);
      std::string_view in = bytes;
      REQUIRE(reader->decode(in, words.data(), arrival));
      CHECK(in.empty());
      CHECK(result(*reader, words.data(), false) == wanted);
      reader->free_part(words.data());
      in = std::string_view(bytes).substr(0, bytes.size() - 1);
      CHECK_FALSE(reader->decode(in, words.data(), arrival));
    }
  shared.free_part(one.data());
  shared.free_part(other.data());
  apart.free_part(three.data());
}

TEST_CASE("quantiles are within one percent over the whole range of doubles", "[window]") {
  const Aggregates aggregates({{"q", Function::quantile, 0, 0.5, false}});
  for (const double v : {1e-300, 3e-5, 1.0, 99.0, 1.7e308, -42.0, -1e-9, 0.0}) {
    std::uint64_t part[1] = {};
    const Value input = Value::float64(v);
    aggregates.add(part, &input, 0, 0);
    Arena arena;
    const double q = aggregates.part_result(0, part, 1, 1, arena).as_double();
    CHECK(std::abs(q - v) <= std::abs(v) * 0.0101);
    aggregates.free_part(part);
  }
}

}  // namespace streamd::window
