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

constexpr EventTime kNow{1000};

std::shared_ptr<const IndicatorList> list_of(const std::vector<std::string>& values,
                                             IndicatorKind kind = IndicatorKind::automatic) {
  IndicatorListBuilder builder(7);
  for (const auto& value : values) {
    INFO(value);
    REQUIRE(builder.add({.value = value, .kind = kind}).empty());
  }
  return builder.build();
}

std::string found(const IndicatorList& list, std::string_view value, EventTime now = kNow) {
  const auto hit = list.find(value, now);
  return hit == 0 ? "" : std::string(list.at(hit).value);
}

}  // namespace

TEST_CASE("a domain is found by itself and by those above it, at its dots only") {
  const auto list = list_of({"evil.example", "deep.evil.example", "*.star.test", ".dot.test",
                             "end.test.", "MiXed.Example"});
  CHECK(found(*list, "evil.example") == "evil.example");
  CHECK(found(*list, "www.evil.example") == "evil.example");
  CHECK(found(*list, "a.b.deep.evil.example") == "deep.evil.example");
  CHECK(found(*list, "notevil.example").empty());
  CHECK(found(*list, "example").empty());
  CHECK(found(*list, "evil.example.org").empty());
  CHECK(found(*list, "EVIL.Example.") == "evil.example");
  CHECK(found(*list, "x.star.test") == "*.star.test");
  CHECK(found(*list, "star.test") == "*.star.test");
  CHECK(found(*list, "x.dot.test") == ".dot.test");
  CHECK(found(*list, "x.end.test") == "end.test.");
  CHECK(found(*list, "x.mixed.example") == "MiXed.Example");
}

TEST_CASE("what only ends like a domain is not one") {
  const auto list = list_of({"evil.example"});
  for (const char* text : {"http://evil.example", "me@evil.example", "evil.example/path",
                           "evil.example:443", "look at evil.example", "..evil.example",
                           "www..evil.example", "", ".", "..", "evil.example.."}) {
    INFO(text);
    CHECK(found(*list, text).empty());
  }
  CHECK(found(*list, std::string(300, 'a') + ".evil.example").empty());
  const std::string longest = std::string(120, '.');
  CHECK(found(*list, longest).empty());
}

TEST_CASE("IDN are found as they are given") {
  const auto list = list_of({"xn--bcher-kva.example",
                             "b\xC3\xBC"
                             "cher.example"});
  CHECK(found(*list, "www.xn--bcher-kva.EXAMPLE") == "xn--bcher-kva.example");
  CHECK(found(*list,
              "www.b\xC3\xBC"
              "cher.example") ==
        "b\xC3\xBC"
        "cher.example");
}

TEST_CASE("texts have to be equal") {
  const auto list = list_of({"root", "64500", "a b", "http://x.test/y", "d41d8cd98f00b204"});
  CHECK(found(*list, "root") == "root");
  CHECK(found(*list, "Root").empty());
  CHECK(found(*list, "64500") == "64500");
  CHECK(found(*list, "http://x.test/y") == "http://x.test/y");
  CHECK(found(*list, "roo").empty());
  CHECK(found(*list, "roott").empty());
}

TEST_CASE("values of any size are found, each with its own payload") {
  IndicatorListBuilder builder(7);
  std::vector<std::string> values{std::string(4096, 't')};
  for (std::size_t size = 1; size <= 200; ++size) {
    values.push_back("text " + std::string(size, 't'));
    values.push_back(std::string(size % 60 + 1, 'd') + "." + std::string(size / 4 + 1, 'e'));
  }
  for (const auto& value : values)
    REQUIRE(builder.add({.value = value, .comment = "of " + value}).empty());
  const auto list = builder.build();
  for (const auto& value : values) {
    INFO(value);
    REQUIRE(found(*list, value) == value);
    REQUIRE(list->at(list->find(value, kNow)).comment == "of " + value);
    REQUIRE(found(*list, value + "x").empty());
    const bool domain = value.find('.') != std::string::npos;
    REQUIRE(found(*list, "www." + value) == (domain ? value : ""));
  }
}

TEST_CASE("a list of one kind takes no other") {
  IndicatorListBuilder builder(7);
  CHECK(builder.add({.value = "evil.example", .kind = IndicatorKind::address}) ==
        "is no address or network");
  CHECK(builder.add({.value = "10.0.0.300"}) == "is no address or network");
  CHECK(builder.add({.value = "a b", .kind = IndicatorKind::domain}) == "is no domain");
  CHECK(builder.add({.value = ""}) == "is empty");
  CHECK(builder.add({.value = std::string(5000, 'x')}) == "is longer than 4096 bytes");
  CHECK(builder.add({.value = "localhost", .kind = IndicatorKind::domain}).empty());
  CHECK(builder.add({.value = "10.0.0.0/8", .kind = IndicatorKind::text}).empty());
  const auto list = builder.build();
  CHECK(list->size() == 2);
  CHECK(found(*list, "x.localhost") == "localhost");
  CHECK(found(*list, "10.0.0.0/8") == "10.0.0.0/8");
  CHECK(found(*list, "10.0.0.1").empty());
}

TEST_CASE("what is meant as addresses and is none is no text and no domain") {
  IndicatorListBuilder builder(7);
  for (const char* value : {"192.0.2.7\t9", "2001:db8::1 x", "192.0.2.*", "192.0.2.1-9",
                            "192.0.2.1-192.0.2.9", "192.0.2.0/24 24", "[2001:db8::7]:443"}) {
    CAPTURE(value);
    CHECK(builder.add({.value = value}) == "is no address or network");
    CHECK(builder.add({.value = value, .kind = IndicatorKind::text}).empty());
  }
  for (const char* value :
       {"curl 7.8", "1.0-2", "404 not found", "192-0-2-7.evil.example", "*.*", "[x]", "["}) {
    CAPTURE(value);
    CHECK(builder.add({.value = value}).empty());
  }
}

TEST_CASE("entries end by their own time, and what is behind them is found then") {
  IndicatorListBuilder builder(7);
  builder.add({.value = "10.0.0.0/8"});
  builder.add({.value = "10.1.0.0/16", .expires = {2000}});
  builder.add({.value = "10.1.2.3", .expires = {1500}});
  builder.add({.value = "evil.example"});
  builder.add({.value = "www.evil.example", .expires = {1500}});
  builder.add({.value = "gone", .expires = {1500}});
  const auto list = builder.build();
  CHECK(found(*list, "10.1.2.3", {1499}) == "10.1.2.3");
  CHECK(found(*list, "10.1.2.3", {1500}) == "10.1.0.0/16");
  CHECK(found(*list, "10.1.2.3", {2000}) == "10.0.0.0/8");
  CHECK(found(*list, "www.evil.example", {1499}) == "www.evil.example");
  CHECK(found(*list, "www.evil.example", {1500}) == "evil.example");
  CHECK(found(*list, "gone", {1499}) == "gone");
  CHECK(found(*list, "gone", {1500}).empty());
  CHECK(list->live({1499}) == 6);
  CHECK(list->live({1500}) == 3 + 1 - 1);
  CHECK(list->size() == 6);
}

TEST_CASE("the same value with the same payload is one entry that lives longest") {
  IndicatorListBuilder builder(7);
  const auto ban = builder.info({.type = "ban"});
  const auto captcha = builder.info({.type = "captcha"});
  CHECK(builder.info({.type = "ban"}) == ban);
  builder.add({.value = "192.0.2.7", .info = ban, .expires = {1100}});
  builder.add({.value = "192.0.2.7/32", .info = ban, .expires = {3000}});
  builder.add({.value = "192.0.2.7", .info = captcha, .expires = {2000}});
  builder.add({.value = "x.test", .info = ban, .expires = {1100}});
  builder.add({.value = "X.test.", .info = captcha, .expires = {3000}});
  const auto list = builder.build();
  CHECK(list->size() == 4);
  auto hit = list->find("192.0.2.7", kNow);
  CHECK(list->at(hit).info->type == "ban");
  CHECK(list->at(hit).expires == EventTime{3000});
  hit = list->next(hit, kNow);
  REQUIRE(hit != 0);
  CHECK(list->at(hit).info->type == "captcha");
  CHECK(list->next(hit, kNow) == 0);
  CHECK(list->at(list->find("x.test", kNow)).info->type == "captcha");
  CHECK(list->at(list->find("x.test", {2999})).info->type == "captcha");
}

TEST_CASE("very many entries of one value stay few") {
  IndicatorListBuilder builder(7);
  for (int i = 0; i < 10'000; ++i) builder.add({.value = "10.0.0.1", .comment = std::to_string(i)});
  const auto list = builder.build();
  std::size_t found = 0;
  for (auto hit = list->find("10.0.0.1", kNow); hit != 0; hit = list->next(hit, kNow)) ++found;
  CHECK(found < 40);
  CHECK(found == list->size());
}

TEST_CASE("an exception takes its value and what is below it out of the list") {
  for (const bool exception_first : {false, true}) {
    IndicatorListBuilder builder(7);
    const auto add = [&](std::string_view value, bool exception) {
      REQUIRE(builder.add({.value = value, .exception = exception}).empty());
    };
    if (exception_first) add("both.example", true);
    for (const char* value : {"evil.example", "both.example", "10.0.0.0/8"}) add(value, false);
    REQUIRE(builder.add({.value = "both.example", .comment = "another"}).empty());
    if (!exception_first) add("both.example", true);
    for (const char* value : {"ok.evil.example", "10.1.0.0/16", "test", "both.example"})
      add(value, true);
    add("bad.ok.evil.example", false);
    add("10.1.2.3", false);
    const auto list = builder.build();
    CHECK(list->size() == 4);
    CHECK(list->live(kNow) == 4);
    CHECK(found(*list, "www.evil.example") == "evil.example");
    CHECK(found(*list, "ok.evil.example").empty());
    CHECK(found(*list, "a.ok.evil.example").empty());
    CHECK(found(*list, "x.bad.ok.evil.example") == "bad.ok.evil.example");
    CHECK(list->next(list->find("bad.ok.evil.example", kNow), kNow) == 0);
    CHECK(found(*list, "both.example").empty());
    CHECK(found(*list, "test").empty());
    CHECK(found(*list, "10.2.0.1") == "10.0.0.0/8");
    CHECK(found(*list, "10.1.0.1").empty());
    CHECK(found(*list, "10.1.2.3") == "10.1.2.3");
  }
}

TEST_CASE("an empty list finds nothing") {
  const auto list = IndicatorListBuilder(7).build();
  CHECK(list->size() == 0);
  CHECK(found(*list, "10.0.0.1").empty());
  CHECK(found(*list, "evil.example").empty());
  CHECK(found(*list, "::1").empty());
}

TEST_CASE("the payload is given back as it was") {
  IndicatorListBuilder builder(7);
  const IndicatorInfo info{.type = "ban",
                           .scenario = "ssh",
                           .origin = "CAPI",
                           .scope = "Ip",
                           .source = "s",
                           .tags = "a,b",
                           .score = 0.5,
                           .has_score = true,
                           .first_seen = {5},
                           .last_seen = {6}};
  const auto number = builder.info(info);
  builder.add({.value = "192.0.2.7", .comment = "seen often", .info = number, .expires = {9999}});
  const auto list = builder.build();
  const Indicator it = list->at(list->find("192.0.2.7", kNow));
  CHECK(it.comment == "seen often");
  CHECK(it.info->scenario == "ssh");
  CHECK(it.info->origin == "CAPI");
  CHECK(it.info->scope == "Ip");
  CHECK(it.info->tags == "a,b");
  CHECK(it.info->score == 0.5);
  CHECK(it.info->first_seen == EventTime{5});
  CHECK(it.expires == EventTime{9999});
}

TEST_CASE("random domains are found as by a look at each of them") {
  std::mt19937_64 dice(11);
  for (int round = 0; round < 40; ++round) {
    std::set<std::string> entries;
    const auto domain = [&](unsigned least) {
      std::string text;
      for (auto labels = least + dice() % 4; labels > 0; --labels)
        text += std::string(text.empty() ? "" : ".") + static_cast<char>('a' + dice() % 3);
      return text;
    };
    for (int i = 0; i < 20; ++i) entries.insert(domain(2));
    const auto list = list_of({entries.begin(), entries.end()});
    for (int i = 0; i < 200; ++i) {
      const std::string asked = domain(1);
      std::string wanted;
      for (std::size_t at = 0; wanted.empty() && at != std::string::npos;) {
        if (entries.count(asked.substr(at)) > 0) wanted = asked.substr(at);
        at = asked.find('.', at);
        if (at != std::string::npos) ++at;
      }
      INFO(asked);
      REQUIRE(found(*list, asked) == wanted);
    }
  }
}
