// SPDX-License-Identifier: Apache-2.0
#include "lists/list_lines.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

bool splits(std::string_view line, std::string_view value, std::string_view comment) {
  const ListLine got = split_list_line(line);
  return got.value == value && got.comment == comment;
}

}  // namespace

TEST_CASE("a line is a value and perhaps a comment") {
  CHECK(splits("192.0.2.7", "192.0.2.7", ""));
  CHECK(splits("  192.0.2.7\t\r", "192.0.2.7", ""));
  CHECK(splits("192.0.2.7,seen often", "192.0.2.7", "seen often"));
  CHECK(splits("192.0.2.7 , a,b ", "192.0.2.7", "a,b"));
  CHECK(splits("192.0.2.7 # noisy", "192.0.2.7", "noisy"));
  CHECK(splits("192.0.2.0/24 ; SBL123", "192.0.2.0/24", "SBL123"));
  CHECK(splits("192.0.2.7,why # more", "192.0.2.7", "why"));
  CHECK(splits("http://x.test/#top", "http://x.test/#top", ""));
}

TEST_CASE("a line may hold nothing") {
  for (const char* line : {"", "   ", "\t\r", "# all of it", "; all of it", "   # x", "#", ","}) {
    INFO(line);
    CHECK(split_list_line(line).value.empty());
  }
}

TEST_CASE("lines that cannot be used are counted and the first ones named") {
  IndicatorListBuilder builder(1);
  BrokenLines broken;
  const auto lines = read_list_lines(
      "\xEF\xBB\xBF# head\r\n10.0.0.1\r\n10.0.0.300\n1.2.3\nevil.example\n::1::2\n9.9.9\n,x\n"
      "10.0.0.2",
      ListEntries::automatic, builder, broken);
  CHECK(lines == 9);
  CHECK(broken.count() == 5);
  CHECK(broken.text(lines) ==
        "5 of 9 lines could not be used: line 3: \"10.0.0.300\" is no address or network; line 4: "
        "\"1.2.3\" is no address or network; line 6: \"::1::2\" is no address or network; …");
  CHECK(builder.build()->size() == 3);
}

TEST_CASE("what is named of a broken line is short and printable") {
  IndicatorListBuilder builder(1);
  BrokenLines broken;
  read_list_lines("\x1b[31m" + std::string(500, 'x') + "\n", ListEntries::ip, builder, broken);
  CHECK(broken.text(1).size() < 200);
  CHECK(broken.text(1).find('\x1b') == std::string::npos);
}

TEST_CASE("nothing is said of a list without broken lines") {
  IndicatorListBuilder builder(1);
  BrokenLines broken;
  CHECK(broken.text(read_list_lines("a\nb\n", ListEntries::text, builder, broken)).empty());
}
