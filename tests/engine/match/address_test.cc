// SPDX-License-Identifier: Apache-2.0
#include "engine/match/address.h"

#include "tests/support/catch.h"

#include <random>
#include <string>

using namespace streamd;

namespace {

bool is_v4(const char* text, std::uint32_t bits) {
  const auto a = parse_address(text);
  return a && !a->v6 && a->bits == bits;
}
bool is_v6(const char* text, std::uint64_t high, std::uint64_t low) {
  const auto a = parse_address(text);
  return a && a->v6 && a->bits == (Uint128{high} << 64 | low);
}
std::string network(const char* text) {
  const auto n = parse_network(text);
  if (!n) return "none";
  return (n->first.v6 ? "6 " : "4 ") + std::to_string(static_cast<std::uint64_t>(n->first.bits)) +
         "/" + std::to_string(n->prefix);
}

}  // namespace

TEST_CASE("addresses are read as they are written") {
  CHECK(is_v4("192.0.2.7", 0xC0000207));
  CHECK(is_v4("0.0.0.0", 0));
  CHECK(is_v4("255.255.255.255", 0xFFFFFFFF));
  CHECK(is_v6("::", 0, 0));
  CHECK(is_v6("::1", 0, 1));
  CHECK(is_v6("2001:db8::8:800:200c:417a", 0x20010DB800000000, 0x00080800200C417A));
  CHECK(is_v6("2001:DB8:0:0:8:800:200C:417A", 0x20010DB800000000, 0x00080800200C417A));
  CHECK(is_v6("1::", 0x0001000000000000, 0));
  CHECK(is_v6("64:ff9b::192.0.2.33", 0x0064FF9B00000000, 0xC0000221));
}

TEST_CASE("a mapped IPv4 address is the IPv4 address, in any form") {
  CHECK(is_v4("::ffff:192.0.2.7", 0xC0000207));
  CHECK(is_v4("::FFFF:c000:207", 0xC0000207));
  CHECK(is_v4("0:0:0:0:0:ffff:c000:0207", 0xC0000207));
  const auto octets = address_of(std::string("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\0\2\7", 16));
  REQUIRE(octets);
  CHECK_FALSE(octets->v6);
  CHECK(octets->bits == 0xC0000207);
}

TEST_CASE("what is no address is none") {
  for (const char* text : {"",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.256",
                           "01.2.3.4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1.2.3.",
                           "1..2.3",
                           "1.2.3.4/32",
                           "1.2.3.-4",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "12345::",
                           "::g",
                           "1:2:3:4:5:6:7::8:9",
                           "::1%eth0",
                           "[::1]",
                           "1:2:3:4:5:6:7:",
                           ":1:2:3:4:5:6:7",
                           "::1.2.3",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4"}) {
    INFO(text);
    CHECK_FALSE(parse_address(text));
  }
}

TEST_CASE("networks lose their host bits") {
  CHECK(network("10.1.2.3/8") == "4 167772160/8");
  CHECK(network("10.0.0.1") == "4 167772161/32");
  CHECK(network("0.0.0.0/0") == "4 0/0");
  CHECK(network("255.255.255.255/0") == "4 0/0");
  CHECK(network("::5/128") == "6 5/128");
  CHECK(network("::5/0") == "6 0/0");
  CHECK(network("::ffff:10.0.0.9/104") == "4 167772160/8");
  CHECK(network("::ffff:10.0.0.9") == "4 167772169/32");
}

TEST_CASE("what is no network is none") {
  for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0/8",
                           "::/129", "/8", "10.0.0.0/8/8", "10.0.0.0/1a", "10.0.0.0/9999"}) {
    INFO(text);
    CHECK(network(text) == "none");
  }
}

TEST_CASE("a mistyped address is told from a text") {
  for (const char* text : {"10.0.0.300", "10.0.0.0/33", "1.2.3", "fe80::1::2", "2001:db8:::/32"}) {
    INFO(text);
    CHECK(looks_like_address(text));
  }
  for (const char* text : {"64500", "cafe", "evil.example", "dead.beef", "a:b", "root"}) {
    INFO(text);
    CHECK_FALSE(looks_like_address(text));
  }
}

TEST_CASE("random dotted texts are addresses when four small numbers without zeros in front are") {
  const auto slowly = [](const std::string& text) -> std::optional<std::uint32_t> {
    std::uint32_t out = 0;
    std::size_t at = 0;
    for (int part = 0; part < 4; ++part) {
      const std::size_t end = std::min(text.find('.', at), text.size());
      const std::string number = text.substr(at, end - at);
      if (number.empty() || number.size() > 3 || (number.size() > 1 && number[0] == '0') ||
          number.find_first_not_of("0123456789") != std::string::npos || std::stoi(number) > 255)
        return std::nullopt;
      out = out << 8 | static_cast<std::uint32_t>(std::stoi(number));
      if ((end == text.size()) != (part == 3)) return std::nullopt;
      at = end + 1;
    }
    return out;
  };
  std::mt19937_64 dice(3);
  const std::string_view signs("0123456789./:x \0\xAE\xFF", 18);
  std::size_t good = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (int part = 0; part < 4; ++part)
      text += (part > 0 ? "." : "") + std::to_string(dice() % 300);
    if (i % 2 == 0) text[dice() % text.size()] = signs[dice() % signs.size()];
    if (i % 5 == 0) text.erase(dice() % text.size(), 1 + dice() % 2);
    if (i % 7 == 0) text += signs[dice() % signs.size()];
    std::uint32_t address = 0;
    const bool is_one = parse_v4(text, address);
    const auto wanted = slowly(text);
    INFO(text);
    REQUIRE(is_one == wanted.has_value());
    if (is_one) REQUIRE(address == *wanted);
    good += is_one ? 1 : 0;
  }
  CHECK(good > 10'000);
}
