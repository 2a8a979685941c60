// SPDX-License-Identifier: Apache-2.0
#include "lists/format/csv_row.h"
#include "lists/format/json_path.h"
#include "tests/lists/read_fixture.h"

#include <fmt/format.h>

using namespace streamd;
using namespace streamd::test;

namespace {

constexpr EventTime kFirstOfMay{1'777'593'600'000'000};  // 2026-05-01T00:00:00Z

FormatConfig csv(ListColumns columns) {
  FormatConfig config = format_of(ListFormat::csv);
  config.columns = std::move(columns);
  return config;
}
FormatConfig json(std::string items, ListColumns columns) {
  FormatConfig config = format_of(ListFormat::json);
  config.items = std::move(items);
  config.columns = std::move(columns);
  return config;
}
ListColumns value_at(std::string value) {
  ListColumns columns;
  columns.value = std::move(value);
  return columns;
}

}  // namespace

TEST_CASE("a hosts file gives its names, without those of the machine") {
  const Read read(
      format_of(ListFormat::hosts),
      "# head\n127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\nfe80::1%lo0 localhost\n"
      "0.0.0.0 evil.example other.example # ads\r\n0.0.0.0\tTracker.Example\n"
      "evil.example 0.0.0.0\n0.0.0.0 bad_/name\n\n");
  CHECK(read.list->size() == 3);
  CHECK(read.at("evil.example").comment == "ads");
  CHECK(read.has("www.other.example"));
  CHECK(read.has("tracker.example"));
  CHECK_FALSE(read.has("localhost"));
  CHECK(read.reading.remark() ==
        "2 of 9 lines could not be used: line 7: \"evil.example\" is no address at the start of a "
        "hosts line; line 8: \"bad_/name\" is no domain");
}

TEST_CASE("a DShield block list gives networks with their attacks as the score") {
  const Read read(format_of(ListFormat::dshield),
                  "# DShield.org\nStart\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n"
                  "192.0.2.0\t192.0.2.255\t24\t3012\tEXAMPLE-NET\tDE\ta@b.example\n"
                  "198.051.100.000\t198.051.100.255\t24\t17\n"
                  "203.0.113.0\t203.0.112.255\t24\t1\nnothing\n");
  CHECK(read.list->size() == 2);
  CHECK(read.at("192.0.2.200").value == "192.0.2.0/24");
  CHECK(read.at("192.0.2.200").info->score == 3012);
  CHECK(read.at("192.0.2.200").comment == "EXAMPLE-NET, DE");
  CHECK(read.at("198.51.100.1").info->score == 17);
  CHECK(read.reading.broken.count() == 2);
}

TEST_CASE("a range of addresses becomes the networks that make it up") {
  const Read read(format_of(ListFormat::p2p),
                  "# PeerGuardian\nSome: name:192.0.2.4-192.0.2.9\nall:0.0.0.0-255.255.255.255\n");
  CHECK(read.at("192.0.2.4").value == "192.0.2.4/30");
  CHECK(read.at("192.0.2.9").value == "192.0.2.8/31");
  CHECK(read.at("192.0.2.9").comment == "Some: name");
  CHECK(read.at("192.0.2.10").value == "0.0.0.0/0");
  const Read lines(format_of(ListFormat::lines),
                   "192.0.2.255 - 192.0.3.0,two\n2001:db8::-2001:db8::2\n::1-1.2.3.4\n");
  CHECK(lines.list->size() == 4);
  CHECK(lines.at("192.0.3.0").comment == "two");
  CHECK(lines.has("2001:db8::2"));
  CHECK_FALSE(lines.has("2001:db8::3"));
  CHECK(lines.reading.broken.count() == 1);
}

TEST_CASE("a port behind an address is left away") {
  const Read read(format_of(ListFormat::lines),
                  "[2001:db8::7]:443,c2\n192.0.2.7:8080\n[2001:db8::8]\n[2001:db8::9]:x\n");
  CHECK(read.at("2001:db8::7").comment == "c2");
  CHECK(read.has("192.0.2.7"));
  CHECK(read.list->size() == 2);
  CHECK(read.reading.broken.count() == 2);
}

TEST_CASE("the lists of eMule say whom they let through") {
  const Read read(format_of(ListFormat::p2p),
                  "001.009.096.105 - 001.009.096.105 , 000 , Some organisation, Inc\n"
                  "192.0.2.0 - 192.0.2.255 , 200 , let through\n"
                  "rubbish\nname:192.0.2.9-192.0.2.1\nname:192.0.2.9\n");
  CHECK(read.list->size() == 1);
  CHECK(read.at("1.9.96.105").comment == "Some organisation, Inc");
  CHECK_FALSE(read.has("192.0.2.1"));
  CHECK(read.reading.broken.count() == 3);
}

TEST_CASE("adblock rules about whole domains count, the others are told") {
  const Read read(
      format_of(ListFormat::adblock),
      "[Adblock Plus 2.0]\n! Title: x\n||evil.example^\n||ads.example^$important,third-party\n"
      "||half.example^$script\n@@||good.evil.example^\n/banner/*\nsite.example##.ad\n"
      "||plain.example\n||192.0.2.7^\nalone.example\n@@||ads.example^|\n||path.example/x^\n");
  CHECK(read.has("www.evil.example"));
  CHECK(read.has("plain.example"));
  CHECK(read.has("192.0.2.7"));
  CHECK(read.has("alone.example"));
  CHECK_FALSE(read.has("good.evil.example"));
  CHECK_FALSE(read.has("x.good.evil.example"));
  CHECK_FALSE(read.has("ads.example"));
  CHECK_FALSE(read.has("half.example"));
  CHECK(read.list->size() == 4);
  CHECK(read.reading.remark() ==
        "4 of 13 lines are rules about something else than a whole domain");
}

TEST_CASE("a CSV list has its columns by name or by number") {
  ListColumns names = value_at("ip");
  names.comment = "why";
  names.score = "conf";
  names.tags = "tags";
  names.type = "kind";
  names.first_seen = "seen";
  names.last_seen = "again";
  names.expires = "until";
  const Read named(csv(names),
                   "ip,why,conf,tags,kind,seen,again,until\n"
                   "192.0.2.7,\"said \"\"no\"\", twice\",75,\"a,b\",c2,2026-05-01,2026-05-01 "
                   "00:00:01 UTC,2027-01-01T00:00:00Z\n"
                   "192.0.2.8,,,,,,,2020-01-01\n192.0.2.9,,n/a,,,1777593600,-,\n");
  const Indicator found = named.at("192.0.2.7");
  CHECK(found.comment == "said \"no\", twice");
  CHECK(found.info->score == 75);
  CHECK(found.info->tags == "a,b");
  CHECK(found.info->type == "c2");
  CHECK(found.info->first_seen == kFirstOfMay);
  CHECK(found.info->last_seen == kFirstOfMay + Duration::from_seconds(1));
  CHECK(found.expires > kReadAt);
  CHECK_FALSE(named.has("192.0.2.8"));
  CHECK(named.at("192.0.2.9").info->first_seen == kFirstOfMay);
  CHECK_FALSE(named.at("192.0.2.9").info->has_score);
  CHECK(named.reading.remark().empty());

  ListColumns numbers = value_at("2");
  numbers.comment = "3";
  FormatConfig config = csv(numbers);
  config.separator = "tab";
  const Read numbered(config, "x\t192.0.2.7\twhy\ny\tevil.example:80\n\nz\n");
  CHECK(numbered.at("192.0.2.7").comment == "why");
  CHECK(numbered.reading.broken.count() == 1);
}

TEST_CASE("the names of CSV columns may stand in a comment") {
  const std::string text =
      "# feed of today\n# \"first_seen\", \"ioc\", \"x\"\n\"2026-05-01\", \"192.0.2.7:8080\", "
      "\"y\"\n";
  const Read read(csv(value_at("ioc")), text);
  CHECK(read.has("192.0.2.7"));
  FormatConfig config = csv(value_at("1"));
  config.header = true;
  CHECK(Read(config, "address\n192.0.2.7\n").list->size() == 1);
  CHECK(read_error(csv(value_at("adress")), "address,why\n192.0.2.7,x\n") ==
        "line 1 does not name the column \"adress\"");
}

TEST_CASE("rows of CSV that cannot be used are told with their lines") {
  ListColumns columns = value_at("1");
  columns.score = "2";
  columns.expires = "3";
  const Read read(csv(columns),
                  "192.0.2.7,\"1\n\",\n10.0.0,1\n192.0.2.8,high\n192.0.2.9,1,soon\n,,\n");
  CHECK(read.list->size() == 1);
  CHECK(read.reading.remark() ==
        "4 of 6 lines could not be used: line 3: \"10.0.0\" is no address or network; line 4: "
        "\"192.0.2.8\" has a score that is no number; line 5: \"192.0.2.9\" has an expires that is "
        "no time; …");
  CHECK(read_error(csv(value_at("1")), "192.0.2.7\n\"192.0.2.8\n") ==
        "the text ends inside quotes that begin in line 2");
}

TEST_CASE("a JSON list takes its entries from paths") {
  ListColumns columns = value_at("indicator.value");
  columns.tags = "tags[].name";
  columns.score = "score";
  columns.last_seen = "seen";
  const Read read(json("data.list[]", columns),
                  R"({"data":{"list":[
    {"indicator":{"value":"192.0.2.7"},"tags":[{"name":"a"},{"name":"b"}],"score":"81","seen":1777593600},
    {"indicator":{"value":"evil.example"},"score":null},
    {"indicator":{}}, {"indicator":{"value":{"no":1}}}, 7]}})");
  CHECK(read.list->size() == 2);
  CHECK(read.at("192.0.2.7").info->tags == "a,b");
  CHECK(read.at("192.0.2.7").info->score == 81);
  CHECK(read.at("192.0.2.7").info->last_seen == kFirstOfMay);
  CHECK(read.reading.broken.count() == 3);
  CHECK(read.reading.remark().starts_with("3 of 5 items could not be used: item 3: "));
}

TEST_CASE("a JSON list may be an array, an object of arrays, or a document a line") {
  CHECK(Read(json("", {}), R"(["192.0.2.7","evil.example"])").list->size() == 2);
  CHECK(Read(json("[]", {}), R"(["192.0.2.7","evil.example"])").list->size() == 2);
  const Read nested(json("*[]", value_at("ioc")),
                    R"({"1":[{"ioc":"192.0.2.7"}],"2":[{"ioc":"192.0.2.8"},{"ioc":"a.example"}]})");
  CHECK(nested.list->size() == 3);
  const Read several(json("", value_at("ips[]")), R"({"ips":["192.0.2.7","192.0.2.8"]})");
  CHECK(several.list->size() == 2);
  const Read lines(json("", value_at("cidr")),
                   "{\"cidr\":\"192.0.2.0/24\"}\n{\"cidr\":\"198.51.100.0/24\"}\n{broken\n"
                   "{\"type\":\"metadata\"}\n");
  CHECK(lines.list->size() == 2);
  CHECK(lines.reading.broken.count() == 2);
  CHECK(Read(json("list[]", {}), R"({"list":[]})").list->size() == 0);
}

TEST_CASE("a JSON text that is cut off or another document is an error") {
  const FormatConfig config = json("list[]", {});
  for (const char* text : {"", "{\"list\":[\"192.0.2.7\"", "<html>", "{\"list\":[]}\n{\"li"}) {
    INFO(text);
    CHECK(read_error(config, text) == "the text is no JSON, or not all of it is there");
  }
  CHECK(read_error(config, R"({"error":"no"})") == "the document has nothing at the path of items");
}

TEST_CASE(
    "a JSON list may be empty on the way to its entries, but what is on the way has to be there") {
  for (const auto& [items, text] :
       {std::pair{"data[].list[]", R"({"data":[]})"},
        std::pair{"data[].list[]", R"({"data":[{"list":[]}]})"}, std::pair{"*", "{}"},
        std::pair{"*[]", "{}"}, std::pair{"data.*", R"({"data":{}})"},
        std::pair{"data.*.list[]", R"({"data":{}})"}}) {
    CAPTURE(items, text);
    CHECK(Read(json(items, {}), text).list->size() == 0);
  }
  for (const auto& [items, text] :
       {std::pair{"data[].list[]", R"({"data":{}})"}, std::pair{"data.*", R"({"error":"no"})"},
        std::pair{"data.*.list[]", R"({"data":"no"})"}, std::pair{"*", R"(["no"])"}}) {
    CAPTURE(items, text);
    CHECK(read_error(json(items, {}), text) == "the document has nothing at the path of items");
  }
}

TEST_CASE("defaults are what an entry has that says nothing else") {
  ListColumns columns = value_at("1");
  columns.score = "2";
  FormatConfig config = csv(columns);
  config.defaults.source = "feed";
  config.defaults.tags = {"x", "y"};
  config.defaults.score = 50;
  const Read read(config, "192.0.2.7,90\n192.0.2.8,\n192.0.2.9\n");
  CHECK(read.at("192.0.2.7").info->score == 90);
  CHECK(read.at("192.0.2.7").info->source == "feed");
  CHECK(read.at("192.0.2.8").info->score == 50);
  CHECK(read.at("192.0.2.9").info->tags == "x,y");
  CHECK(fields_of_format(config) ==
        fields_of(IndicatorField::score, IndicatorField::source, IndicatorField::tags));
}

TEST_CASE("a path is names, [] and *") {
  for (const char* good : {"", "a", "a.b", "a[]", "[]", "[][]", "*", "*[].x", "a[].b[].c", "a.*.b"})
    CHECK(JsonPath::parse(good));
  for (const char* bad : {".", "a.", ".a", "a..b", "a[0]", "a]", "a.[]", "a[", "a[].."})
    CHECK_FALSE(JsonPath::parse(bad));
}

TEST_CASE("times of feeds are read in the ways feeds write them") {
  const auto read = [](std::string_view text) { return read_list_time(text, EventTime::max()); };
  for (const char* text : {"2026-05-01", "2026-05-01 00:00:00", "2026-05-01T00:00:00Z",
                           "2026-05-01 00:00:00 UTC", "2026-05-01T02:00:00+02:00", "1777593600",
                           " 1777593600000 ", "1777593600000000", "1777593600.0"}) {
    INFO(text);
    CHECK(read(text) == kFirstOfMay);
  }
  for (const char* text : {"", "-", "None", "NULL", "n/a"}) CHECK(read(text) == EventTime::max());
  for (const char* text : {"soon", "2026-13-01", "2026-05-01 25:00:00", "-5", "1e99", "2026",
                           "99999999999999999999", "2026-05-01Tx"}) {
    INFO(text);
    const auto time = read(text);
    if (std::string_view(text) == "2026")
      CHECK(time == EventTime{2026'000'000});
    else
      CHECK_FALSE(time);
  }
}

TEST_CASE("cells of CSV are cut as feeds write them") {
  std::vector<std::string_view> cells;
  format::CsvCursor rows("a , \"b\"\"c\" ,\"d\ne\"x,\r\n\n#no\n,,\nlast", ',');
  REQUIRE(rows.next(cells));
  CHECK(cells == std::vector<std::string_view>{"a", "b\"c", "d\ne", ""});
  REQUIRE(rows.next(cells));
  CHECK(rows.line() == 5);
  CHECK(cells.size() == 3);
  REQUIRE(rows.next(cells));
  CHECK(cells == std::vector<std::string_view>{"last"});
  CHECK_FALSE(rows.next(cells));
  CHECK_FALSE(rows.torn());
  CHECK(rows.comment() == "no");
}
