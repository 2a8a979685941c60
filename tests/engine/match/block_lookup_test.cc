// SPDX-License-Identifier: Apache-2.0
#include "engine/match/indicator_list.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <random>
#include <set>
#include <string>
#include <vector>

using namespace streamd;

namespace {

using Dice = std::mt19937_64;

std::string v4_text(std::uint32_t a) {
  return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

std::string some_value(Dice& dice) {
  const auto name = [&] { return fmt::format("n{}", dice() % 40); };
  switch (dice() % 8) {
    case 0: return v4_text(static_cast<std::uint32_t>(dice() % 5000) << 4);
    case 1: return v4_text(static_cast<std::uint32_t>(dice() % 40) << 12) + "/20";
    case 2: return fmt::format("2001:db8:{:x}::{:x}", dice() % 30, dice() % 30);
    case 3: return fmt::format("2001:db8:{:x}::/48", dice() % 30);
    case 4: return name() + "." + name() + ".example";
    case 5: return name() + ".example";
    case 6: return name();
    default: return fmt::format("{}.{}.{}.{}.{}.example.", name(), name(), name(), name(), name());
  }
}

std::shared_ptr<const IndicatorList> some_list(Dice& dice, std::size_t entries) {
  IndicatorListBuilder builder(dice());
  for (std::size_t i = 0; i < entries; ++i) {
    const std::string value = some_value(dice);
    builder.add({.value = value,
                 .expires = dice() % 3 == 0 ? EventTime{static_cast<std::int64_t>(dice() % 100)}
                                            : EventTime::max(),
                 .exception = dice() % 10 == 0});
  }
  return builder.build();
}

}  // namespace

TEST_CASE("a block of questions finds what each of them finds alone") {
  Dice dice(11);
  for (int round = 0; round < 300; ++round) {
    const auto list = some_list(dice, dice() % 3000);
    const EventTime now{static_cast<std::int64_t>(dice() % 120)};
    std::vector<std::string> texts;
    std::vector<Question> asked;
    const std::size_t count = 1 + dice() % kLookupBlock;
    for (std::size_t i = 0; i < count; ++i) texts.push_back(some_value(dice));
    for (const auto& text : texts) asked.push_back(question_of(text));
    std::vector<IndicatorList::Hit> hits(count, 77);
    list->find(asked.data(), count, now, hits.data());
    for (std::size_t i = 0; i < count; ++i) {
      INFO(texts[i] << " in round " << round);
      REQUIRE(hits[i] == list->find(texts[i], now));
    }
  }
}

TEST_CASE("single addresses far from each other are found, and their neighbours are not") {
  Dice dice(5);
  for (const std::size_t count : {10u, 600u, 20'000u}) {
    std::set<std::uint32_t> known;
    IndicatorListBuilder builder(1);
    for (std::size_t i = 0; i < count; ++i) {
      // Up to nine in a /24.
      const auto address = static_cast<std::uint32_t>(dice());
      for (std::uint32_t k = 0; k <= dice() % 9; ++k)
        known.insert((address & ~255u) | (dice() & 255));
    }
    known.insert({0, 255, 256, 0xFFFFFFFF, 0xFFFFFF00});
    for (const auto address : known) builder.add({.value = v4_text(address)});
    const auto list = builder.build();
    std::vector<std::uint32_t> asked;
    for (const auto address : known)
      for (const std::uint32_t a : {address, address - 1, address + 1, address ^ 128})
        asked.push_back(a);
    for (std::size_t first = 0; first < asked.size(); first += kLookupBlock) {
      IndicatorList::Hit hits[kLookupBlock];
      const std::size_t block = std::min(kLookupBlock, asked.size() - first);
      list->find_v4(&asked[first], block, {}, hits);
      for (std::size_t i = 0; i < block; ++i) {
        const std::uint32_t address = asked[first + i];
        INFO(v4_text(address));
        REQUIRE((hits[i] != 0) == known.contains(address));
        if (hits[i] != 0) REQUIRE(list->at(hits[i]).value == v4_text(address));
      }
    }
  }
}

TEST_CASE("a name with more labels than anybody believes is looked up like any other") {
  std::string deep;
  for (int i = 0; i < 120; ++i) deep += "a.";
  IndicatorListBuilder builder(1);
  std::string below = "example";
  for (int i = 0; i < 90; ++i) {
    REQUIRE(builder.add({.value = below, .kind = IndicatorKind::domain}).empty());
    below = "b." + below;
  }
  const auto list = builder.build();
  for (const std::string& text : {deep + "example", "x." + below, "y." + below}) {
    const Question asked = question_of(text);
    IndicatorList::Hit hit = 0;
    list->find(&asked, 1, {}, &hit);
    CHECK(hit != 0);
    CHECK(hit == list->find(text, {}));
  }
}

TEST_CASE("values are read as what lists are asked for") {
  using Is = Question::Kind;
  QuestionDigits digits;
  const auto kind = [&](const Value& value) { return question_of(value, digits).kind; };
  CHECK(kind(Value::string("192.0.2.7")) == Is::v4);
  CHECK(kind(Value::string("::ffff:192.0.2.7")) == Is::v4);
  CHECK(kind(Value::string("2001:db8::1")) == Is::v6);
  CHECK(kind(Value::string("10.0.0.0/8")) == Is::network);
  CHECK(kind(Value::string("evil.example")) == Is::text);
  CHECK(kind(Value::string("")) == Is::nothing);
  CHECK(kind(Value::ip(std::string_view("\x0a\0\0\1", 4))) == Is::v4);
  CHECK(kind(Value::cidr(std::string_view("\x0a\0\0\0\x08", 5))) == Is::network);
  CHECK(question_of(Value::int64(-64500), digits).text == "-64500");
  CHECK(question_of(Value::uint64(~std::uint64_t{0}), digits).text == "18446744073709551615");
  CHECK(kind(Value::float64(1)) == Is::nothing);
  CHECK(kind(Value::null()) == Is::nothing);
}
