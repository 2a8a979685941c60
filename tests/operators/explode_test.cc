// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "tests/operators/operator_fixture.h"

#include <set>

using namespace streamd;
using namespace streamd::test;

namespace {

std::vector<std::string> parts(const OperatorFixture& f) {
  std::vector<std::string> lines;
  for (const Batch& batch : f.out.batches)
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string line;
      for (std::size_t c = 0; c < batch.column_count(); ++c) {
        const Value& value = batch.at(c, i);
        line += line.empty() ? "" : " ";
        if (value.is(Kind::missing))
          line += "-";
        else
          append_json(value, line);
      }
      lines.push_back(line);
    }
  return lines;
}

}  // namespace

TEST_CASE("Each element of an array and each entry of an object becomes a record") {
  OperatorFixture f("explode", map_of({{"field", scalar("a")}, {"as", scalar("x")}}),
                    open_schema({"a", "n"}));
  CHECK(f.ports.out.hidden == std::vector<std::string>{"a"});
  CHECK_FALSE(f.ports.out.find("a"));
  CHECK(f.ports.out.fields[*f.ports.out.find("x")].derived);
  f.run(batch_of({{Value::json(R"([1, "two", {"b": null}])"), Value::json(R"({"k": 1, "l": [2]})"),
                   Value::string("alone")},
                  {Value::int64(1), Value::int64(2), Value::int64(3)}}));
  CHECK(parts(f) == std::vector<std::string>{"1 1", R"(1 "two")", R"(1 {"b":null})",
                                             R"(2 {"key":"k","value":1})",
                                             R"(2 {"key":"l","value":[2]})", R"(3 "alone")"});
  CHECK_FALSE(f.plan->passes_records());
}

TEST_CASE("Parts keep the record's time and have ids of their own") {
  OperatorFixture f("explode", map_of({{"field", scalar("a")}}), open_schema({"a"}));
  const Batch in = batch_of({{Value::json("[1,1]"), Value::json("[]"), Value::json("[1,1,1]")}});
  f.run(in);
  f.run(in);
  REQUIRE(f.out.batches.size() == 2);
  const Batch &first = f.out.batches[0], &again = f.out.batches[1];
  REQUIRE(first.size() == 5);
  std::set<std::uint64_t> ids;
  for (std::size_t i = 0; i < first.size(); ++i) {
    ids.insert(first.position(i));
    CHECK(first.position(i) == again.position(i));
  }
  CHECK(ids.size() == 5);
  CHECK(first.origin().node == "test/");
  CHECK(first.origin().partition == "0");
  CHECK(f.out.dropped[DropReason::filtered] == 2);
}

TEST_CASE("Positions of results, which are hashes, give distinct ids too") {
  auto rows = std::make_shared<Rows>();
  rows->time.resize(2);
  rows->floor.resize(2);
  rows->position = {~std::uint64_t{0}, ~std::uint64_t{0} - 1};
  const Batch in(
      rows, {std::make_shared<const Column>(Column{Value::json("[1,2]"), Value::json("[1,2]")})},
      std::make_shared<const Origin>(Origin{"w", ""}));
  OperatorFixture f("explode", map_of({{"field", scalar("a")}}), open_schema({"a"}));
  f.run(in);
  std::set<std::uint64_t> ids;
  for (std::size_t i = 0; i < 4; ++i) ids.insert(f.out.batches[0].position(i));
  CHECK(ids.size() == 4);
}

TEST_CASE("Records without elements are counted, or go on without the field") {
  const Column column = {Value::missing(), Value::null(), Value::json("[]"), Value::json("{}"),
                         Value::json("[null]")};
  OperatorFixture dropping("explode", map_of({{"field", scalar("a")}}), open_schema({"a"}));
  dropping.run(batch_of({column}));
  CHECK(parts(dropping) == std::vector<std::string>{"null"});
  CHECK(dropping.out.dropped[DropReason::filtered] == 4);
  OperatorFixture keeping("explode",
                          map_of({{"field", scalar("a")}, {"keep_empty", scalar("true")}}),
                          open_schema({"a"}));
  keeping.run(batch_of({column}));
  CHECK(parts(keeping) == std::vector<std::string>{"-", "-", "-", "-", "null"});
  CHECK(keeping.out.dropped.empty());
}

TEST_CASE("Too many elements and broken JSON are dead letters") {
  OperatorFixture f("explode", map_of({{"field", scalar("a")}, {"max_parts", scalar("2")}}),
                    open_schema({"a"}));
  f.run(batch_of({{Value::json("[1,2]"), Value::json("[1,2,3]"), Value::json("[1,")}}));
  CHECK(parts(f).size() == 2);
  REQUIRE(f.out.rejected.size() == 2);
  CHECK(f.out.rejected[0].code == "too-long");
  CHECK(f.out.rejected[0].row == 1);
  CHECK(f.out.rejected[1].code == "bad-json");
}

TEST_CASE("Many parts leave in several batches, in order") {
  std::string array = "[0";
  for (int i = 1; i < 9000; ++i) array += "," + std::to_string(i);
  OperatorFixture f("explode", map_of({{"field", scalar("a")}}), open_schema({"a"}));
  f.run(batch_of({{Value::json(array + "]"), Value::json("[9000]")}}));
  CHECK(f.out.batches.size() == 3);
  std::int64_t next = 0;
  for (const Batch& batch : f.out.batches)
    for (std::size_t i = 0; i < batch.size(); ++i) CHECK(batch.at(0, i).as_int() == next++);
  CHECK(next == 9001);
}

TEST_CASE("Explode asks for its field instead of what it makes of it") {
  OperatorFixture f("explode", map_of({{"field", scalar("vulns")}, {"as", scalar("vuln")}}),
                    open_schema({"vulns"}));
  Needs wanted;
  wanted.fields = {"vuln.key", "ip_str"};
  CHECK(f.plan->needs(wanted).fields == std::set<std::string>{"ip_str", "vulns"});
  Schema closed = open_schema({"vulns"});
  closed.open = false;
  CHECK(OperatorFixture("explode", map_of({{"field", scalar("vuln")}}), closed).problems.errors() ==
        1);
  CHECK(OperatorFixture("explode", map_of({}), closed).problems.errors() == 1);
  CHECK(OperatorFixture("explode", map_of({{"field", scalar("vulns")}, {"max_parts", scalar("0")}}),
                        closed)
            .problems.errors() == 1);
}

TEST_CASE("What lies inside an element is no field of its own") {
  Schema in = open_schema({"vuln"});
  in.fields[0].derived = true;
  const OperatorFixture f("explode", map_of({{"field", scalar("vuln.value.refs")}}), in);
  REQUIRE(f.problems.errors() == 1);
  CHECK(f.problems.all()[0].hint == "Take it out with a map before: set: {x: vuln.value.refs}.");
  in.fields[0].derived = false;
  CHECK(OperatorFixture("explode", map_of({{"field", scalar("vuln.value.refs")}}), in)
            .problems.errors() == 0);
  in.hidden = {"gone"};
  CHECK(OperatorFixture("explode", map_of({{"field", scalar("gone.x")}}), in).problems.errors() ==
        1);
}

TEST_CASE("What lies inside an element can be a key") {
  OperatorFixture f("dedupe", map_of({{"by", list_of({"vuln.key"})}, {"within", scalar("1h")}}),
                    open_schema({"vuln"}));
  CHECK(f.plan->hashes_keys());
  f.run(batch_of({{Value::json(R"({"key": "a"})"), Value::json(R"({"key": "a"})"),
                   Value::json(R"({"key": "b"})"), Value::json(R"({})")}}));
  CHECK(f.out.batches[0].size() == 2);
  CHECK(f.out.dropped[DropReason::duplicate] == 1);
  CHECK(f.out.rejected.size() == 1);
}
