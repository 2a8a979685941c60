// SPDX-License-Identifier: Apache-2.0
#include "lists/list_lines.h"

#include "tests/lists/read_fixture.h"

using namespace streamd;
using namespace streamd::test;

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
  const Read read(
      {},
      "\xEF\xBB\xBF# head\r\n10.0.0.1\r\n10.0.0.300\n1.2.3\nevil.example\n::1::2\n9.9.9\n,x\n"
      "10.0.0.2");
  CHECK(read.reading.count == 9);
  CHECK(read.reading.broken.count() == 5);
  CHECK(read.reading.remark() ==
        "5 of 9 lines could not be used: line 3: \"10.0.0.300\" is no address or network; line 4: "
        "\"1.2.3\" is no address or network; line 6: \"::1::2\" is no address or network; …");
  CHECK(read.list->size() == 3);
}

TEST_CASE("what is named of a broken line is short and printable") {
  FormatConfig config;
  config.entries = ListEntries::ip;
  const Read read(config, "\x1b[31m" + std::string(500, 'x') + "\n");
  CHECK(read.reading.remark().size() < 200);
  CHECK(read.reading.remark().find('\x1b') == std::string::npos);
}

TEST_CASE("nothing is said of a list without broken lines") {
  FormatConfig config;
  config.entries = ListEntries::text;
  CHECK(Read(config, "a\nb\n").reading.remark().empty());
}
