// SPDX-License-Identifier: Apache-2.0
#include "engine/lookup/lookup.h"

#include "engine/lookup/lookup_cache.h"
#include "engine/lookup/table_rows.h"
#include "tests/contract/component.h"
#include "tests/engine/lookup/mmdb_bytes.h"

#include <filesystem>

using namespace streamd;
using namespace streamd::test;

namespace {

std::vector<std::string> rows_of(std::string_view text, bool* broken = nullptr) {
  Arena arena;
  TableRows rows(text, arena);
  std::vector<TableCell> cells;
  std::vector<std::string> lines;
  while (rows.next(cells)) {
    std::string line = std::to_string(rows.line()) + ":";
    for (const TableCell& cell : cells)
      line += cell.quoted ? "'" + std::string(cell.text) + "'|" : std::string(cell.text) + "|";
    lines.push_back(line);
  }
  if (broken != nullptr) *broken = rows.broken();
  return lines;
}

std::string problem_of(const std::string& text, const std::string& key,
                       const std::vector<std::string>& columns) {
  const auto table = read_table(text, key, columns);
  return table ? "" : table.error().message;
}

MmdbBytes some_database() {
  MmdbBytes db(6);
  std::string v4(16, '\0');
  v4[12] = 81;
  v4[13] = 2;
  db.add(v4, 96 + 16,
         MmdbBytes::map({{"country", MmdbBytes::map({{"iso_code", MmdbBytes::text("GB")}})},
                         {"parts", MmdbBytes::array({MmdbBytes::text("ENG")})},
                         {"asn", MmdbBytes::number(64512)}}));
  std::string v6(16, '\0');
  v6[0] = 0x20;
  v6[1] = 0x01;
  db.add(v6, 16, MmdbBytes::map({{"asn", MmdbBytes::number(7)}}));
  return db;
}

}  // namespace

TEST_CASE("CSV rows follow RFC 4180") {
  CHECK(rows_of("a,b\r\n1,\n\n\"x,\"\"y\"\"\",\"\"\n\"two\nlines\",z\nlast") ==
        std::vector<std::string>{"1:a|b|", "2:1||", "4:'x,\"y\"'|''|", "5:'two\nlines'|z|",
                                 "7:last|"});
  bool broken = false;
  rows_of("a\n\"open", &broken);
  CHECK(broken);
  rows_of("\"a\"b,c\n", &broken);
  CHECK(broken);
  CHECK(rows_of("").empty());
}

TEST_CASE("A table of CSV gives texts, and nothing for empty cells") {
  const auto table =
      read_table("\xEF\xBB\xBFip,owner,n\n10.0.0.1,web,1\n10.0.0.2,,\"\"\n", "ip", {"owner", "n"});
  REQUIRE(table);
  Arena arena;
  Value values[2];
  REQUIRE((*table)->find("10.0.0.1", arena, values));
  CHECK(values[0].text() == "web");
  CHECK(values[1].text() == "1");
  REQUIRE((*table)->find("10.0.0.2", arena, values));
  CHECK(values[0].is(Kind::missing));
  CHECK(values[1].is(Kind::string));
  CHECK_FALSE((*table)->find("10.0.0.3", arena, values));
}

TEST_CASE("A table of JSON lines keeps types, and the last entry of a key counts") {
  const auto table = read_table(
      "{\"id\": 7, \"a\": {\"b\": 1.5}, \"c\": null}\n\n{\"id\": 8}\n{\"id\": 7, \"a\": {\"b\": "
      "2}}\n",
      "id", {"a.b", "c"});
  REQUIRE(table);
  Arena arena;
  Value values[2];
  REQUIRE((*table)->find("7", arena, values));
  CHECK(values[0].as_int() == 2);
  CHECK(values[1].is(Kind::missing));
  REQUIRE((*table)->find("8", arena, values));
  CHECK(values[0].is(Kind::missing));
}

TEST_CASE("What is wrong with a table is told with its line") {
  CHECK(problem_of("", "id", {"a"}) == "line 1: no header");
  CHECK(problem_of("id,b\n1,2\n", "id", {"a"}) == "line 1: there is no column \"a\"");
  CHECK(problem_of("a,b\n1,2\n", "id", {"a"}) == "line 1: there is no column \"id\"");
  CHECK(problem_of("id,a\n1,2\n3\n", "id", {"a"}) == "line 3: 1 cells, but the header has 2");
  CHECK(problem_of("id,a\n1,\"2\n", "id", {"a"}) == "line 2: a quote is not closed");
  CHECK(problem_of("{\"id\":1}\n{\"id\":\n", "id", {"a"}) == "line 2: no JSON object");
  CHECK(problem_of("{\"id\":1}\n{}\n", "id", {"a"}) == "line 2: there is no \"id\"");
}

TEST_CASE("A changed file is read anew, and a broken one leaves the old state") {
  const TempDir dir;
  const std::string path = dir.file("t.csv");
  LookupFile file(path, Duration::from_seconds(10),
                  [](const std::string& p) { return open_table(p, "k", {"v"}); });
  const auto none = file.now({0});
  REQUIRE_FALSE(none);
  CHECK(none.error().message.find("t.csv: No such file") != std::string::npos);
  write_file(path, "k,v\na,1\n");
  const auto value = [](const LookupFile::Now& now) {
    Arena arena;
    Value v;
    REQUIRE(now.lookup->find("a", arena, &v));
    return std::string(v.text());
  };
  const auto first = file.now({1});
  REQUIRE(first);
  CHECK(value(*first) == "1");
  write_file(path, "k,v\na,22\n");
  CHECK(value(*file.now(Duration::from_seconds(9))) == "1");
  CHECK(value(*file.now(Duration::from_seconds(11))) == "22");
  write_file(path, "k,v\nbroken\n");
  const auto broken = file.now(Duration::from_seconds(22));
  REQUIRE(broken);
  CHECK(value(*broken) == "22");
  CHECK(broken->problem.find("line 2") != std::string::npos);
  CHECK(file.now(Duration::from_seconds(33))->problem.empty());
  std::filesystem::remove(path);
  CHECK(value(*file.now(Duration::from_seconds(44))) == "22");
  write_file(path, "k,v\na,333\n");
  CHECK(value(*file.now(Duration::from_seconds(55))) == "333");
}

TEST_CASE("A GeoIP database answers for addresses of both kinds") {
  const TempDir dir;
  write_file(dir.file("g.mmdb"), some_database().bytes());
  const auto db = open_mmdb(dir.file("g.mmdb"), {"country.iso_code", "asn", "parts.0", "country"});
  REQUIRE(db);
  Arena arena;
  Value values[4];
  REQUIRE((*db)->find("81.2.69.142", arena, values));
  CHECK(values[0].text() == "GB");
  CHECK(values[1].as_int() == 64512);
  CHECK(values[2].text() == "ENG");
  CHECK(values[3].is(Kind::missing));
  REQUIRE((*db)->find("2001:db8::1", arena, values));
  CHECK(values[0].is(Kind::missing));
  CHECK(values[1].as_int() == 7);
  for (const char* key : {"9.9.9.9", "fe80::1", "", "81.2.69", "81.2.69.142.1", "host",
                          "0123456789012345678901234567890123456789012345678901234567890"})
    CHECK_FALSE((*db)->find(key, arena, values));
}

TEST_CASE("A damaged GeoIP database is refused or finds nothing, and breaks nothing") {
  const TempDir dir;
  const auto none = open_mmdb(dir.file("none.mmdb"), {"asn"});
  REQUIRE_FALSE(none);
  CHECK(none.error().message == dir.file("none.mmdb") + ": No such file or directory");
  const std::string good = some_database().bytes();
  // What tells of the database stands at its end. (Cut inside of that, the library refuses it too,
  // but forgets some memory.)
  const std::size_t end = good.find("MaxMind.com");
  std::size_t answered = 0;
  for (std::size_t at = 0; at < end; at += 5) {
    write_file(dir.file("g.mmdb"), good.substr(0, at));
    CHECK_FALSE(open_mmdb(dir.file("g.mmdb"), {"asn"}));
    std::string bad = good;
    bad[at] = '\xFF';
    write_file(dir.file("g.mmdb"), bad);
    const auto db = open_mmdb(dir.file("g.mmdb"), {"asn", "country.iso_code"});
    Arena arena;
    Value values[2];
    if (db && (*db)->find("81.2.69.142", arena, values)) ++answered;
  }
  CHECK(answered > 0);
}

TEST_CASE("The cache remembers what is there and what is not, each for its time") {
  LookupCache cache({2, Duration::from_seconds(10), Duration::from_seconds(3), 2, 1});
  using Hit = LookupCache::Hit;
  Arena arena;
  Value values[2] = {Value::string("text"), Value::int64(5)}, got[2];
  CHECK(cache.find("a", {0}, arena, got) == Hit::unknown);
  cache.put("a", {0}, values);
  cache.put("b", {0}, nullptr);
  CHECK(cache.find("a", {1}, arena, got) == Hit::found);
  CHECK(got[0].text() == "text");
  CHECK(got[0].text().data() != values[0].text().data());
  CHECK(got[1].as_int() == 5);
  CHECK(cache.find("b", {1}, arena, got) == Hit::nothing);
  CHECK(cache.find("b", Duration::from_seconds(3), arena, got) == Hit::unknown);
  CHECK(cache.find("a", Duration::from_seconds(9), arena, got) == Hit::found);
  CHECK(cache.find("a", Duration::from_seconds(10), arena, got) == Hit::unknown);
  cache.put("a", Duration::from_seconds(10), nullptr);
  CHECK(cache.find("a", Duration::from_seconds(11), arena, got) == Hit::nothing);
}

TEST_CASE("A full cache gives up the key that was not asked for") {
  LookupCache cache({2, {INT64_MAX}, {INT64_MAX}, 1, 1});
  Arena arena;
  const Value value = Value::int64(1);
  Value got;
  cache.put("a", {0}, &value);
  cache.put("b", {0}, &value);
  CHECK(cache.find("a", {0}, arena, &got) == LookupCache::Hit::found);
  cache.put("c", {0}, &value);
  CHECK(cache.size() == 2);
  CHECK(cache.find("a", {0}, arena, &got) == LookupCache::Hit::found);
  CHECK(cache.find("b", {0}, arena, &got) == LookupCache::Hit::unknown);
  CHECK(cache.find("c", {0}, arena, &got) == LookupCache::Hit::found);
  cache.clear();
  CHECK(cache.find("a", {0}, arena, &got) == LookupCache::Hit::unknown);
  LookupCache none({0, {1}, {1}, 1, 1});
  none.put("a", {0}, &value);
  CHECK(none.size() == 0);
}
