// SPDX-License-Identifier: Apache-2.0
#include "engine/core/key.h"

#include "engine/core/hash.h"
#include "tests/support/catch.h"

#include <cmath>
#include <set>

using namespace streamd;

namespace {

std::string key_of(const std::vector<Value>& values) {
  std::string key;
  for (const auto& v : values) append_key(v, key);
  return key;
}

}  // namespace

TEST_CASE("different values and kinds give different keys", "[core]") {
  const std::set<std::string> keys = {
      key_of({Value::missing()}),
      key_of({Value::null()}),
      key_of({Value::boolean(false)}),
      key_of({Value::boolean(true)}),
      key_of({Value::int64(1)}),
      key_of({Value::uint64(1)}),
      key_of({Value::float64(1)}),
      key_of({Value::string("1")}),
      key_of({Value::bytes("1")}),
      key_of({Value::string("")}),
      key_of({Value::timestamp({1})}),
      key_of({Value::timestamp({1}, 5)}),
      key_of({Value::string("a"), Value::string("b")}),
      key_of({Value::string("ab"), Value::string("")}),
      key_of({Value::string(""), Value::string("ab")}),
  };
  CHECK(keys.size() == 15);
}

TEST_CASE("a key decodes to the values it was made of", "[core]") {
  const auto key = key_of({Value::string("host"), Value::int64(-7), Value::null(),
                           Value::float64(0.5), Value::timestamp({123}, 4), Value::boolean(true)});
  Arena arena;
  const auto values = decode_key(key, arena);
  REQUIRE(values.has_value());
  REQUIRE(values->size() == 6);
  CHECK((*values)[0].text() == "host");
  CHECK((*values)[1].as_int() == -7);
  CHECK((*values)[2].is(Kind::null));
  CHECK((*values)[3].as_double() == 0.5);
  CHECK((*values)[4].as_time() == EventTime{123});
  CHECK((*values)[4].size() == 4);
  CHECK((*values)[5].as_bool());
}

TEST_CASE("lists and maps in a key decode to what they were", "[core]") {
  const Value inner[] = {Value::int64(1), Value::string("x")};
  const Value pairs[] = {Value::string("l"), Value::list(inner, 2), Value::string("e"),
                         Value::map(nullptr, 0)};
  const auto key = key_of({Value::map(pairs, 2), Value::json("{}"), Value::list(inner, 2)});
  CHECK(count_key(key) == 3);
  Arena arena;
  const auto values = decode_key(key, arena);
  REQUIRE(values);
  CHECK(key_of(*values) == key);
  REQUIRE((*values)[0].is(Kind::map));
  REQUIRE((*values)[0].items()[1].is(Kind::list));
  CHECK((*values)[0].items()[1].items()[1].text() == "x");
  CHECK((*values)[1].is(Kind::json));
  REQUIRE((*values)[2].is(Kind::list));
  CHECK((*values)[2].size() == 2);
}

TEST_CASE("a list that is broken inside, a map of an odd number and endless nesting are no key",
          "[core]") {
  const auto around = [](Kind kind, const std::string& inner) {
    const auto size = static_cast<std::uint32_t>(inner.size());
    std::string key(1, static_cast<char>(kind));
    key.append(reinterpret_cast<const char*>(&size), sizeof size);
    return key + inner;
  };
  CHECK(count_key(around(Kind::list, "")) == 1);
  CHECK_FALSE(count_key(around(Kind::list, "\xff")));
  CHECK_FALSE(count_key(around(Kind::map, key_of({Value::int64(1)}))));
  std::string deep(std::size_t{5} * 100'000, '\0');
  for (std::size_t at = 0; at < deep.size(); at += 5) {
    const auto size = static_cast<std::uint32_t>(deep.size() - at - 5);
    deep[at] = static_cast<char>(Kind::list);
    deep.replace(at + 1, sizeof size, reinterpret_cast<const char*>(&size), sizeof size);
  }
  CHECK_FALSE(count_key(deep));
}

TEST_CASE("zeros of both signs and all NaNs are one key each", "[core]") {
  CHECK(key_of({Value::float64(0.0)}) == key_of({Value::float64(-0.0)}));
  CHECK(key_of({Value::float64(std::nan("1"))}) == key_of({Value::float64(-std::nan("2"))}));
}

TEST_CASE("bytes that are no key do not decode", "[core]") {
  const auto key = key_of({Value::string("abc"), Value::int64(1)});
  for (std::size_t cut = 1; cut < key.size(); ++cut) {
    const auto values = count_key(std::string_view(key).substr(0, cut));
    CHECK((!values || *values < 2));
  }
  CHECK_FALSE(count_key("\xff").has_value());
}

TEST_CASE("key groups spread over the workers and each has exactly one owner", "[core]") {
  for (unsigned workers : {1u, 2u, 3u, 7u}) {
    std::vector<int> owned(workers);
    for (unsigned group = 0; group < kKeyGroups; ++group) ++owned[owner_of(group, workers)];
    for (const int n : owned) CHECK(n >= static_cast<int>(kKeyGroups / workers));
  }
  std::vector<int> hits(kKeyGroups);
  for (int i = 0; i < 25'600; ++i) ++hits[key_group(hash_bytes("client-" + std::to_string(i), 42))];
  for (const int n : hits) {
    CHECK(n > 50);
    CHECK(n < 170);
  }
  CHECK(hash_bytes("a", 1) != hash_bytes("a", 2));
}

TEST_CASE("a key of one string is its front and its text, and is hashed by the text", "[key]") {
  for (const std::string text : {"", "a", "203.0.113.7", "api_29.example.com"}) {
    std::string key, put(kTextKeyFront, '\0');
    append_key(Value::string(text), key);
    write_text_key_front(text, put.data());
    CHECK(key == put + text);
    CHECK(hash_key(key, 42) == hash_text_key(text, 42));
    // Two strings are another key.
    append_key(Value::string(text), key);
    CHECK(hash_key(key, 42) == hash_bytes(key, 42));
  }
}
