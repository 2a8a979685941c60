// SPDX-License-Identifier: Apache-2.0
// Random sets of networks against a matcher that looks at every one of them.
#include "engine/match/indicator_list.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace streamd;

namespace {

struct Known {
  IpNetwork network;
  std::string text;
  EventTime expires;
};

bool holds_address(const IpNetwork& network, const IpAddress& address) {
  if (network.first.v6 != address.v6) return false;
  const unsigned host = address.width() - network.prefix;
  return host == 128 || network.first.bits >> host == address.bits >> host;
}

// The text of the most specific live one, the one that lives longest among equals; "" = none.
std::string slowly(const std::vector<Known>& all, const IpAddress& address, EventTime now) {
  const Known* best = nullptr;
  for (const auto& known : all) {
    if (known.expires <= now || !holds_address(known.network, address)) continue;
    if (best == nullptr || known.network.prefix > best->network.prefix ||
        (known.network.prefix == best->network.prefix && known.expires > best->expires))
      best = &known;
  }
  return best == nullptr ? "" : best->text;
}

std::size_t matches(const std::vector<Known>& all, const IpAddress& address, EventTime now) {
  std::size_t count = 0;
  for (const auto& known : all)
    count += known.expires > now && holds_address(known.network, address);
  return count;
}

std::string text_of(const IpAddress& a) {
  std::string out;
  for (unsigned i = 0; i < a.width(); i += a.v6 ? 16 : 8)
    out += a.v6 ? fmt::format("{}{:x}", i > 0 ? ":" : "",
                              static_cast<unsigned>(a.bits >> (112 - i)) & 0xFFFF)
                : fmt::format("{}{}", i > 0 ? "." : "",
                              static_cast<unsigned>(a.bits >> (24 - i)) & 0xFF);
  return out;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  // Few different high bits, so that networks nest and touch; the ends of the space are likely.
  IpAddress address(bool v6) {
    if (below(16) == 0) return {v6, below(2) == 0 ? Uint128{0} : ~Uint128{0} >> (v6 ? 0 : 96)};
    if (!v6) return {false, (10 + below(2)) << 24 | below(4) << 16 | below(4) << 8 | below(256)};
    return {true, Uint128{0x20010DB8 + below(3)} << 96 | Uint128{below(4)} << 64 | below(70'000)};
  }

 private:
  std::mt19937_64 engine_;
};

std::vector<Known> random_networks(Dice& dice, std::size_t count, bool v6, unsigned shortest) {
  std::vector<Known> all;
  for (std::size_t i = 0; i < count; ++i) {
    const IpAddress address = dice.address(v6);
    const unsigned spare = address.width() - shortest;
    const auto prefix = static_cast<unsigned>(
        dice.below(4) == 0 ? shortest + dice.below(spare + 1)
                           : address.width() - dice.below(std::min(spare, v6 ? 20u : 12u)));
    const std::string text = fmt::format("{}/{}", text_of(address), prefix);
    const auto network = parse_network(text);
    REQUIRE(network);
    const EventTime expires = dice.below(3) == 0
                                  ? EventTime{static_cast<std::int64_t>(1 + i)}
                                  : EventTime{static_cast<std::int64_t>(1'000'000 + i)};
    all.push_back({*network, text, expires});
  }
  return all;
}

// Each network and its borders, and random ones.
std::vector<IpAddress> interesting(const std::vector<Known>& all, Dice& dice, bool v6) {
  std::vector<IpAddress> out;
  const Uint128 mask = ~Uint128{0} >> (v6 ? 0 : 96);
  for (const auto& known : all) {
    const Uint128 first = known.network.first.bits;
    const unsigned host = known.network.first.width() - known.network.prefix;
    const Uint128 last = host == 128 ? mask : first | ((Uint128{1} << host) - 1);
    for (const Uint128 bits : {first, first - 1, last, last + 1}) out.push_back({v6, bits & mask});
  }
  for (int i = 0; i < 500; ++i) out.push_back(dice.address(v6));
  return out;
}

void compare(std::uint64_t seed, std::size_t count, bool v6, unsigned shortest = 0) {
  Dice dice(seed);
  const auto all = random_networks(dice, count, v6, shortest);
  IndicatorListBuilder builder(seed);
  for (const auto& known : all)
    REQUIRE(builder
                .add({.value = known.text,
                      .comment = fmt::format("{}", known.expires.micros),
                      .expires = known.expires})
                .empty());
  const auto list = builder.build();
  const EventTime now{static_cast<std::int64_t>(count / 2)};
  for (const auto& address : interesting(all, dice, v6)) {
    if (v6 && address.bits >> 32 == 0xFFFF) continue;  // IPv4 when it is written
    const std::string wanted = slowly(all, address, now);
    const auto hit = list->find(address, now);
    const std::string text = text_of(address);
    INFO(text << " of " << count << " networks, seed " << seed);
    REQUIRE((hit == 0 ? "" : std::string(list->at(hit).value)) == wanted);
    // What is written differently is found alike.
    REQUIRE(list->find(text, now) == hit);
    std::size_t found = 0;
    for (auto next = hit; next != 0; next = list->next(next, now)) ++found;
    REQUIRE(found == matches(all, address, now));
  }
}

}  // namespace

TEST_CASE("random IPv4 networks are found as by a look at each of them") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) compare(seed, 1 + seed * seed % 300, false);
}

TEST_CASE("many IPv4 networks are found as by a look at each of them") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) compare(seed, 1500, false);
}

TEST_CASE("many small IPv4 networks are found as by a look at each of them") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) compare(seed, 1500, false, 12 + 3 * seed);
}

TEST_CASE("random IPv6 networks are found as by a look at each of them") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) compare(seed, 1 + seed * seed % 300, true);
}

TEST_CASE("a whole network is found by those that hold all of it") {
  IndicatorListBuilder builder(1);
  for (const char* text : {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"})
    builder.add({.value = text});
  const auto list = builder.build();
  const EventTime now{};
  CHECK(list->at(list->find("10.1.2.0/24", now)).value == "10.1.2.0/24");
  CHECK(list->at(list->find("10.1.2.128/25", now)).value == "10.1.2.0/24");
  CHECK(list->at(list->find("10.1.2.0/23", now)).value == "10.1.0.0/16");
  CHECK(list->find("10.0.0.0/7", now) == 0);
}

TEST_CASE("IPv6 networks of hosts share upper halves, up to the last address") {
  // Most of them in few /64, some at their borders, next to each other and in the last /64 of all.
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 engine(seed);
    const auto below = [&](std::uint64_t n) { return engine() % n; };
    const auto some_bits = [&] {
      const Uint128 upper =
          below(3) == 0 ? ~std::uint64_t{0} - below(3) : 0x20010DB800000000ull + below(seed * 20);
      const Uint128 lower = below(4) == 0 ? ~std::uint64_t{0} - below(3) : below(6);
      return upper << 64 | lower;
    };
    std::vector<Known> all;
    for (std::uint64_t i = 0; i < 40 * seed; ++i) {
      const auto prefix = below(3) == 0 ? 58 + below(12) : 122 + below(7);
      const IpAddress address{true, some_bits()};
      const std::string text = fmt::format("{}/{}", text_of(address), prefix);
      all.push_back({*parse_network(text), text, EventTime{1'000'000 + static_cast<int>(i)}});
    }
    IndicatorListBuilder builder(seed);
    for (const auto& known : all)
      REQUIRE(builder
                  .add({.value = known.text,
                        .comment = fmt::format("{}", known.expires.micros),
                        .expires = known.expires})
                  .empty());
    const auto list = builder.build();
    Dice dice(seed);
    auto asked = interesting(all, dice, true);
    for (int i = 0; i < 500; ++i) asked.push_back({true, some_bits()});
    for (const auto& address : asked) {
      const auto hit = list->find(address, {});
      INFO(text_of(address) << ", seed " << seed);
      REQUIRE((hit == 0 ? "" : std::string(list->at(hit).value)) == slowly(all, address, {}));
    }
  }
}
