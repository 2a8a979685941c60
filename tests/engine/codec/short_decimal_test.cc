// SPDX-License-Identifier: Apache-2.0
// Against the complete readers: where a short one says yes, both must agree to the bit.
#include "engine/codec/short_decimal.h"

#include "tests/support/catch.h"

#include <bit>
#include <charconv>
#include <random>
#include <string>

using namespace streamd;

namespace {

// Texts of the characters that numbers are made of, mostly numbers.
std::string any_text(std::mt19937_64& random) {
  std::string text;
  if (random() % 4 == 0) text += '-';
  const std::size_t whole = random() % 13, decimals = random() % 9;
  for (std::size_t i = 0; i < whole; ++i) text += static_cast<char>('0' + random() % 10);
  if (random() % 3 > 0) {
    text += '.';
    for (std::size_t i = 0; i < decimals; ++i) text += static_cast<char>('0' + random() % 10);
  }
  if (!text.empty() && random() % 8 == 0) text[random() % text.size()] = "-.e+/: x"[random() % 8];
  return text;
}

template <class T>
bool complete(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end;
}

}  // namespace

TEST_CASE("Short numbers are those that the complete readers give") {
  std::mt19937_64 random(11);
  int ints = 0, doubles = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = any_text(random);
    INFO("text " << text);
    std::int64_t n = 0, exact_n = 0;
    if (short_int(text, n)) {
      ++ints;
      REQUIRE(complete(text, exact_n));
      REQUIRE(n == exact_n);
    }
    double d = 0, exact_d = 0;
    if (short_double(text, d)) {
      ++doubles;
      REQUIRE(complete(text, exact_d));
      REQUIRE(std::bit_cast<std::uint64_t>(d) == std::bit_cast<std::uint64_t>(exact_d));
    }
  }
  CHECK(ints > 20'000);
  CHECK(doubles > 50'000);
}

TEST_CASE("Short readers leave to others what is not short") {
  std::int64_t n = 0;
  double d = 0;
  for (const char* text : {"", "-", "+1", " 1", "1 ", "1x", "0x1", "1e3", "1.5"}) {
    INFO("text " << text);
    CHECK_FALSE(short_int(text, n));
  }
  for (const char* text : {"", "-", ".", "-.", "+1", "1..2", "1.2.", "1e3", "inf", "nan", "1-",
                           "1234567890123456", "0.1234567890123456"}) {
    INFO("text " << text);
    CHECK_FALSE(short_double(text, d));
  }
  CHECK(short_int("-999999999999999999", n));
  CHECK(n == -999999999999999999);
  CHECK_FALSE(short_int("9999999999999999999", n));
  CHECK(short_double("-0", d));
  CHECK(std::bit_cast<std::uint64_t>(d) == std::bit_cast<std::uint64_t>(-0.0));
}

TEST_CASE("Short unix times have ten digits and at most six behind the point") {
  std::int64_t micros = 0;
  const std::string full = "1704067199.345590";
  const std::int64_t expected[] = {345590, 345590, 345500, 345000, 340000, 300000};
  for (std::size_t less = 0; less < 6; ++less) {
    CHECK(short_unix_time(full.substr(0, full.size() - less), micros));
    CHECK(micros == 1704067199 * std::int64_t{1'000'000} + expected[less]);
  }
  CHECK(short_unix_time("1704067199", micros));
  CHECK(micros == 1704067199000000);
  CHECK(short_unix_time("9999999999.999999", micros));
  CHECK(micros == 9999999999999999);
  for (const char* text : {"", "1", "170406719", "1704067199.", "17040671990", "1704067199.3455901",
                           "-704067199.345590", "170406719.9345590"}) {
    INFO("text " << text);
    CHECK_FALSE(short_unix_time(text, micros));
  }
  for (std::size_t at = 0; at < full.size(); ++at) {
    for (const char c : {'/', ':', ' ', '-', '.', 'a', '\0', '\xB0'}) {
      std::string changed = full;
      changed[at] = c;
      INFO("text " << changed);
      CHECK(short_unix_time(changed, micros) == (changed == full));
    }
  }
}
