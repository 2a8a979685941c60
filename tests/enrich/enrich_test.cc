// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/lookup/mmdb_bytes.h"
#include "tests/enrich/enrich_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

ConfigNode table(const std::string& path,
                 std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(), {{"kind", scalar("table")},
                             {"field", scalar("ip")},
                             {"path", scalar(path)},
                             {"fields", map_of({{"who", scalar("owner")}})}});
  return map_of(std::move(more));
}

}  // namespace

TEST_CASE("A table adds its columns and is read anew when it changes") {
  const TempDir dir;
  write_file(dir.file("t.csv"), "ip,owner\n10.0.0.1,web\n7,num\n");
  Enriched e(table(dir.file("t.csv")), open_schema({"ip"}));
  REQUIRE(e.run({Value::string("10.0.0.1"), Value::int64(7), Value::ip({"\x0A\0\0\x01", 4}),
                 Value::string("x"), Value::null()}));
  CHECK(e.last("who", 0) == "web");
  CHECK(e.last("who", 1) == "num");
  CHECK(e.last("who", 2) == "web");
  CHECK(e.last("who", 3) == "missing");
  CHECK(e.last("who", 4) == "missing");
  write_file(dir.file("t.csv"), "ip,owner\n10.0.0.1,database\n");
  e.clock.advance(Duration::from_seconds(11));
  REQUIRE(e.run({Value::string("10.0.0.1")}));
  CHECK(e.last("who", 0) == "database");
  write_file(dir.file("t.csv"), "ip\n");
  e.clock.advance(Duration::from_seconds(11));
  REQUIRE(e.run({Value::string("10.0.0.1")}));
  CHECK(e.last("who", 0) == "database");
  REQUIRE(e.log.size() == 1);
  CHECK(e.log[0].find("there is no column \"owner\"") != std::string::npos);
  CHECK(e.out.batches[0].at(1, 0).text() == "web");
}

TEST_CASE("Records without an entry go where on_missing says") {
  const TempDir dir;
  write_file(dir.file("t.csv"), "ip,owner\na,web\n");
  Enriched drop(table(dir.file("t.csv"), {{"on_missing", scalar("drop")}}), open_schema({"ip"}));
  REQUIRE(drop.run({Value::string("a"), Value::string("b"), Value::missing()}));
  CHECK(drop.out.batches[0].size() == 1);
  CHECK(drop.out.dropped[DropReason::filtered] == 2);
  Enriched dead(table(dir.file("t.csv"), {{"on_missing", scalar("dead_letter")}}),
                open_schema({"ip"}));
  REQUIRE(dead.run({Value::string("a"), Value::string("b")}));
  REQUIRE(dead.out.rejected.size() == 1);
  CHECK(dead.out.rejected[0].code == "no-entry");
}

TEST_CASE("A GeoIP database is asked once per address") {
  const TempDir dir;
  MmdbBytes db(4);
  db.add(std::string("\x51\x02\0\0", 4), 16,
         MmdbBytes::map({{"country", MmdbBytes::map({{"iso_code", MmdbBytes::text("GB")}})}}));
  write_file(dir.file("g.mmdb"), db.bytes());
  Enriched e(map_of({{"kind", scalar("mmdb")},
                     {"field", scalar("ip")},
                     {"path", scalar(dir.file("g.mmdb"))},
                     {"fields", map_of({{"geo.country", scalar("country.iso_code")}})}}),
             open_schema({"ip"}));
  for (int round = 0; round < 2; ++round) {
    REQUIRE(
        e.run({Value::string("81.2.69.142"), Value::string("81.2.69.142"),
               Value::ip("\x51\x02\x01\x01"), Value::string("9.9.9.9"), Value::string("9.9.9.9")}));
    CHECK(e.last("geo.country", 0) == "GB");
    CHECK(e.last("geo.country", 1) == "GB");
    CHECK(e.last("geo.country", 2) == "GB");
    CHECK(e.last("geo.country", 3) == "missing");
    CHECK(e.last("geo.country", 4) == "missing");
  }
}

TEST_CASE("Without its file enrich cannot start") {
  const TempDir dir;
  Enriched e(table(dir.file("none.csv")), open_schema({"ip"}));
  const Status status = e.run({Value::string("a")});
  REQUIRE_FALSE(status);
  CHECK(status.error().message.find("none.csv") != std::string::npos);
  CHECK_FALSE(status.error().hint.empty());
}

TEST_CASE("Enrich asks for its field instead of what it adds") {
  EnrichPlanned f(table("t.csv"), open_schema({"ip"}));
  Needs wanted;
  wanted.fields = {"who", "port"};
  CHECK(f.plan->needs(wanted).fields == std::set<std::string>{"ip", "port"});
}

TEST_CASE("Wrong settings of enrich are reported") {
  const auto errors = [](const ConfigNode& fields) {
    Schema closed = open_schema({"ip"});
    closed.open = false;
    return EnrichPlanned(fields, closed).problems.errors();
  };
  CHECK(errors(table("t.csv")) == 0);
  CHECK(errors(table("")) == 1);
  CHECK(errors(table("t.csv", {{"refresh", scalar("0s")}})) == 1);
  CHECK(errors(table("t.csv", {{"on_missing", scalar("dorp")}})) == 1);
  CHECK(errors(map_of({{"kind", scalar("mmdb")},
                       {"field", scalar("pi")},
                       {"path", scalar("x")},
                       {"fields", map_of({{"a", scalar("b")}})}})) == 1);
  CHECK(errors(map_of({{"kind", scalar("mmdb")},
                       {"field", scalar("ip")},
                       {"path", scalar("x")},
                       {"key", scalar("k")},
                       {"fields", map_of({{"a", scalar("b")}})}})) == 1);
}
