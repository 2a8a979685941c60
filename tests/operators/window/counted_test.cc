// SPDX-License-Identifier: Apache-2.0
// Counted values against maps of their texts, through all three forms that they are held in.
#include "operators/window/counted.h"

#include "engine/codec/encode.h"
#include "engine/core/key.h"
#include "operators/window/varint.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

namespace streamd::window {
namespace {

using Model = std::map<std::string, std::int64_t>;  // by encoded value

std::string encoded(const Value& value) {
  std::string bytes;
  append_key(value, bytes);
  return bytes;
}

// Values of every size and of several kinds; equal numbers give equal values.
Value value_of(unsigned n, Arena& arena) {
  switch (n % 4) {
    case 0: return Value::int64(n);
    case 1: return Value::string(arena.copy(std::to_string(n)));
    case 2: return Value::string(arena.copy(std::string(n % 700, 'x') + std::to_string(n)));
    default: return Value::float64(n);
  }
}

Model read(Word at, const DistinctValues& values) {
  std::string bytes;
  encode_counted(at, values, bytes);
  std::string_view in = bytes;
  std::uint64_t n = 0;
  REQUIRE(take_varint(in, n));
  Model model;
  for (; n > 0; --n) {
    std::string_view text;
    std::uint64_t count = 0;
    REQUIRE(take_text(in, text));
    REQUIRE(take_varint(in, count));
    CHECK(model.emplace(text, static_cast<std::int64_t>(count)).second);
  }
  REQUIRE(in.empty());
  return model;
}

double entropy(const Model& model) {
  double all = 0, bits = 0;
  for (const auto& [text, count] : model) all += static_cast<double>(count);
  for (const auto& [text, count] : model) {
    const double part = static_cast<double>(count) / all;
    bits -= part * std::log2(part);
  }
  return bits;
}

struct Part {
  Word word = 0;
  Model model;
};

void add_some(Part& part, unsigned range, std::mt19937& random, DistinctValues& values) {
  Arena arena;
  for (unsigned n = 1 + random() % (2 * range); n > 0; --n) {
    const Value value = value_of(static_cast<unsigned>(random()) % range, arena);
    add_counted(part.word, value, values);
    ++part.model[encoded(value)];
  }
}

void subtract(Model& from, const Model& part) {
  for (const auto& [text, count] : part)
    if ((from[text] -= count) == 0) from.erase(text);
}

}  // namespace

TEST_CASE("counted values are those of a map of texts, however many there are", "[window]") {
  std::mt19937 random(5);
  for (const unsigned range : {1u, 2u, 4u, 9u, 40u, 70u, 300u}) {
    DistinctValues values(7);
    Part running;
    std::vector<Part> parts;
    for (int step = 0; step < 60; ++step) {
      INFO("range " << range << ", step " << step);
      parts.emplace_back();
      add_some(parts.back(), range, random, values);
      if (step % 7 == 3) {
        Part other;
        add_some(other, range, random, values);
        merge_counted(parts.back().word, other.word, values);
        for (const auto& [text, count] : other.model) parts.back().model[text] += count;
        free_counted_part(other.word, values);
      }
      enter_counted(running.word, parts.back().word);
      for (const auto& [text, count] : parts.back().model) running.model[text] += count;
      if (parts.size() > 3) {
        leave_counted(running.word, parts.front().word);
        subtract(running.model, parts.front().model);
        free_counted_part(parts.front().word, values);
        parts.erase(parts.begin());
      }
      REQUIRE(read(running.word, values) == running.model);
      REQUIRE(read(parts.back().word, values) == parts.back().model);
      CHECK(counted_size(running.word) == running.model.size());
      CHECK(counted_entropy(running.word).as_double() ==
            Approx(entropy(running.model)).margin(1e-9));
    }
    for (Part& part : parts) {
      leave_counted(running.word, part.word);
      free_counted_part(part.word, values);
    }
    CHECK(running.word == 0);
    CHECK(values.size() == 0);
  }
}

TEST_CASE("a value that nobody holds any more gives its number to another one", "[window]") {
  DistinctValues values(1);
  Word part = 0;
  add_counted(part, Value::string("a"), values);
  add_counted(part, Value::string("a"), values);
  CHECK(values.size() == 1);
  CHECK(counted_size(part) == 1);
  const std::uint32_t number = values.number_of(Value::string("a"));
  free_counted_part(part, values);
  CHECK(values.size() == 0);
  add_counted(part, Value::string("b"), values);
  CHECK(values.number_of(Value::string("b")) == number);
  CHECK(values.encoded(number) == encoded(Value::string("b")));
  free_counted_part(part, values);
}

TEST_CASE("counts go beyond 32 bits", "[window]") {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 48;
  for (const std::uint64_t count :
       {std::uint64_t{UINT32_MAX}, std::uint64_t{UINT32_MAX} + 1, kMost})
    for (const unsigned others : {0u, 1u, 30u, 100u}) {
      INFO(count << ", " << others);
      DistinctValues values(1);
      Arena arena;
      std::string bytes;
      put_varint(bytes, 1);
      put_text(bytes, encoded(Value::string("a")));
      put_varint(bytes, count);
      std::string_view in = bytes;
      Word part = 0, running = 0;
      REQUIRE(decode_counted(in, part, values));
      for (unsigned n = 1; n <= others; ++n) add_counted(part, value_of(n, arena), values);
      add_counted(part, Value::string("a"), values);
      enter_counted(running, part);
      enter_counted(running, part);
      Model model = read(part, values);
      CHECK(model[encoded(Value::string("a"))] == static_cast<std::int64_t>(count) + 1);
      model = read(running, values);
      CHECK(model[encoded(Value::string("a"))] == 2 * static_cast<std::int64_t>(count) + 2);
      CHECK(model.size() == others + 1);
      leave_counted(running, part);
      leave_counted(running, part);
      CHECK(running == 0);
      free_counted_part(part, values);
      CHECK(values.size() == 0);
    }
}

TEST_CASE("counted values that nobody wrote are refused and leave nothing", "[window]") {
  const std::string a = encoded(Value::string("a"));
  const auto bytes = [](std::initializer_list<std::pair<std::string, std::uint64_t>> items) {
    std::string out;
    put_varint(out, items.size());
    for (const auto& [text, count] : items) {
      put_text(out, text);
      put_varint(out, count);
    }
    return out;
  };
  const std::string good = bytes({{encoded(Value::int64(5)), 1}, {a, 3}});
  std::vector<std::string> bad = {
      bytes({{a, 0}}),         bytes({{a, (std::uint64_t{1} << 48) + 1}}),
      bytes({{a, 1}, {a, 1}}), bytes({{"", 1}}),
      bytes({{a + "x", 1}}),   bytes({{a + a, 1}})};
  for (std::size_t size = 0; size < good.size(); ++size) bad.push_back(good.substr(0, size));
  for (const std::string& text : bad) {
    DistinctValues values(1);
    std::string_view in = text;
    Word part = 0;
    CHECK_FALSE(decode_counted(in, part, values));
    free_counted_part(part, values);
    CHECK(values.size() == 0);
  }
  DistinctValues values(1);
  std::string_view in = good;
  Word part = 0;
  REQUIRE(decode_counted(in, part, values));
  CHECK(in.empty());
  std::string again;
  encode_counted(part, values, again);
  CHECK(again == good);
  free_counted_part(part, values);
}

}  // namespace streamd::window
