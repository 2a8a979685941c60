// SPDX-License-Identifier: Apache-2.0
#include "engine/match/indicator_list.h"
#include "engine/match/list_slot.h"
#include "tests/operators/operator_fixture.h"

#include <fmt/format.h>

using namespace streamd;
using namespace streamd::test;

namespace {

const ManualClock kClock{{1000}};

struct Entry {
  const char* value;
  const char* comment = "";
  EventTime expires = EventTime::max();
};

std::shared_ptr<ListSlot> slot_of(const std::string& name, const std::vector<Entry>& entries,
                                  IndicatorFields fields = fields_of(IndicatorField::comment,
                                                                     IndicatorField::expires)) {
  IndicatorListBuilder builder(3);
  for (const auto& entry : entries)
    REQUIRE(builder.add({.value = entry.value, .comment = entry.comment, .expires = entry.expires})
                .empty());
  auto slot = std::make_shared<ListSlot>(name, fields);
  slot->put(builder.build(), &kClock);
  return slot;
}

Schema with_lists(Schema schema, const std::vector<std::shared_ptr<ListSlot>>& slots) {
  auto scope = std::make_shared<ListScope>();
  for (const auto& slot : slots) scope->add(slot);
  schema.lists = scope;
  return schema;
}

Schema schema_of(const std::vector<std::string>& fields,
                 const std::vector<std::shared_ptr<ListSlot>>& slots) {
  return with_lists(open_schema(fields), slots);
}

std::shared_ptr<ListSlot> blocked() {
  return slot_of("blocked", {{"10.0.0.0/8", "ours"}, {"10.1.2.3", "", {5000}}, {"evil.example"}});
}

std::string text(const Value& value) {
  return value.is(Kind::missing) ? "-" : std::string(value.text());
}

}  // namespace

TEST_CASE("Match lets go on what a list knows, with what it knows of it") {
  OperatorFixture f("match", map_of({{"field", scalar("ip")}, {"list", scalar("blocked")}}),
                    schema_of({"ip"}, {blocked()}));
  f.run(batch_of({strings({"10.1.2.3", "192.0.2.1", "10.9.9.9", nullptr, "www.evil.example"})}));
  REQUIRE(f.out.batches[0].size() == 3);
  CHECK(text(f.value("match.list", 0)) == "blocked");
  CHECK(text(f.value("match.field", 0)) == "ip");
  CHECK(text(f.value("match.value", 0)) == "10.1.2.3");
  CHECK(text(f.value("match.indicator", 0)) == "10.1.2.3");
  CHECK(text(f.value("match.comment", 0)) == "-");
  CHECK(f.value("match.expires", 0).as_time() == EventTime{5000});
  CHECK(text(f.value("match.indicator", 1)) == "10.0.0.0/8");
  CHECK(text(f.value("match.comment", 1)) == "ours");
  CHECK(f.value("match.expires", 1).is(Kind::missing));
  CHECK(text(f.value("match.indicator", 2)) == "evil.example");
  CHECK(f.out.dropped[DropReason::filtered] == 2);
  CHECK(f.out.rejected.empty());
}

TEST_CASE("What a second match of the same name finds takes the place of what was found before") {
  const auto plain = slot_of("plain", {{"192.0.2.1"}, {"192.0.2.2"}}, 0);
  const Schema in = schema_of({"src", "dst"}, {blocked(), plain});
  const auto node = [](const char* field, const char* list) {
    return map_of({{"field", scalar(field)}, {"list", scalar(list)}, {"keep", scalar("all")}});
  };
  OperatorFixture first("match", node("src", "blocked"), in);
  first.run(batch_of({strings({"10.9.9.9", "10.9.9.9", "192.0.2.9", "192.0.2.9"}),
                      strings({"192.0.2.1", "1.1.1.1", "192.0.2.2", "1.1.1.1"})}));
  REQUIRE(first.out.batches.size() == 1);
  OperatorFixture f("match", node("dst", "plain"), first.ports.out);
  f.run(first.out.batches[0]);
  const std::vector<std::string> lists = {"plain", "blocked", "plain", "-"};
  const std::vector<std::string> comments = {"-", "ours", "-", "-"};
  const std::vector<std::string> values = {"192.0.2.1", "10.9.9.9", "192.0.2.2", "-"};
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    CHECK(text(f.value("match.list", i)) == lists[i]);
    CHECK(text(f.value("match.comment", i)) == comments[i]);
    CHECK(text(f.value("match.value", i)) == values[i]);
  }
}

TEST_CASE("Match refuses a field inside what a node before has made") {
  Schema in = schema_of({"ip"}, {blocked()});
  in.fields.push_back({"one", Type::any, true});
  OperatorFixture f(
      "match", map_of({{"fields", list_of({"ip", "one.ip"})}, {"list", scalar("blocked")}}), in);
  REQUIRE(f.problems.errors() == 1);
  CHECK(f.problems.all()[0].message == "\"one.ip\" lies inside \"one\", which a node before makes");
  OperatorFixture raw("match", map_of({{"field", scalar("two.ip")}, {"list", scalar("blocked")}}),
                      in);
  CHECK(raw.problems.errors() == 0);
}

TEST_CASE("Match takes the selection of its input as it is") {
  OperatorFixture f("match", map_of({{"field", scalar("ip")}, {"list", scalar("blocked")}}),
                    schema_of({"ip"}, {blocked()}));
  f.run(batch_of({strings({"10.0.0.1", "10.0.0.2", "1.1.1.1", "10.0.0.4"})}).select({1, 2, 3}));
  REQUIRE(f.out.batches[0].size() == 2);
  CHECK(text(f.value("match.value", 0)) == "10.0.0.2");
  CHECK(text(f.value("match.value", 1)) == "10.0.0.4");
  CHECK(f.out.dropped[DropReason::filtered] == 1);
}

TEST_CASE("Match keeps all records, or those that no list knows, when told so") {
  const Batch in = batch_of({strings({"10.0.0.1", "192.0.2.1", nullptr})});
  OperatorFixture all("match",
                      map_of({{"field", scalar("ip")},
                              {"list", scalar("blocked")},
                              {"keep", scalar("all")},
                              {"as", scalar("known")}}),
                      schema_of({"ip"}, {blocked()}));
  all.run(in);
  REQUIRE(all.out.batches[0].size() == 3);
  CHECK(text(all.value("known.list", 0)) == "blocked");
  CHECK(all.value("known.list", 1).is(Kind::missing));
  CHECK(all.out.dropped[DropReason::filtered] == 0);

  OperatorFixture others(
      "match",
      map_of({{"field", scalar("ip")}, {"list", scalar("blocked")}, {"keep", scalar("unmatched")}}),
      schema_of({"ip"}, {blocked()}));
  others.run(in);
  REQUIRE(others.out.batches[0].size() == 2);
  CHECK(text(others.value("ip", 0)) == "192.0.2.1");
  CHECK(others.out.dropped[DropReason::filtered] == 1);
  CHECK_FALSE(others.ports.out.find("match.list"));
}

TEST_CASE("Match emits nothing and drops all when no record matches") {
  OperatorFixture f("match", map_of({{"field", scalar("ip")}, {"list", scalar("blocked")}}),
                    schema_of({"ip"}, {blocked()}));
  f.run(batch_of({strings({"192.0.2.1", "x"})}));
  CHECK(f.out.batches.empty());
  CHECK(f.out.dropped[DropReason::filtered] == 2);
}

TEST_CASE("Match tries fields and lists in their order, and allow lists win") {
  const auto bots = slot_of("bots", {{"192.0.2.1"}, {"10.0.0.1", "bot"}});
  const auto ours = slot_of("ours", {{"10.0.0.9"}});
  OperatorFixture f("match",
                    map_of({{"fields", list_of({"src", "dst"})},
                            {"lists", list_of({"blocked", "bots"})},
                            {"allow", scalar("ours")}}),
                    schema_of({"src", "dst"}, {blocked(), bots, ours}));
  f.run(batch_of({strings({"1.1.1.1", "192.0.2.1", "10.0.0.9", "10.0.0.9"}),
                  strings({"10.0.0.1", "10.0.0.1", "192.0.2.1", "1.1.1.1"})}));
  REQUIRE(f.out.batches[0].size() == 3);
  CHECK(text(f.value("match.field", 0)) == "dst");
  CHECK(text(f.value("match.list", 0)) == "blocked");
  CHECK(text(f.value("match.field", 1)) == "src");
  CHECK(text(f.value("match.list", 1)) == "bots");
  CHECK(text(f.value("match.field", 2)) == "dst");
  CHECK(text(f.value("match.value", 2)) == "192.0.2.1");
}

TEST_CASE("Match looks into lists of values and at every kind of value") {
  const auto mixed = slot_of("mixed", {{"evil.example"}, {"64500"}, {"10.0.0.0/8"}});
  OperatorFixture f("match", map_of({{"field", scalar("x")}, {"list", scalar("mixed")}}),
                    schema_of({"x"}, {mixed}));
  static const std::string octets("\x0A\0\0\1", 4);
  f.run(batch_of(
      {{Value::json(R"(["a.test", "www.evil.example", "evil.example"])"), Value::json("[]"),
        Value::json(R"({"evil.example": 1})"), Value::json("[1, 2"), Value::int64(64500),
        Value::int64(1), Value::ip(octets), Value::boolean(true), Value::null(),
        Value::float64(64500), Value::string(""), Value::json("[64500]")}}));
  REQUIRE(f.out.batches[0].size() == 4);
  CHECK(text(f.value("match.value", 0)) == "www.evil.example");
  CHECK(f.value("match.value", 1).as_int() == 64500);
  CHECK(text(f.value("match.indicator", 2)) == "10.0.0.0/8");
  CHECK(f.value("match.value", 3).as_int() == 64500);
  CHECK(f.out.dropped[DropReason::filtered] == 8);
}

TEST_CASE("Match sees a new content with the next batch, and what it gave out lives on") {
  const auto slot = slot_of("l", {{"10.0.0.1", "first"}});
  OperatorFixture f("match", map_of({{"field", scalar("ip")}, {"list", scalar("l")}}),
                    schema_of({"ip"}, {slot}));
  const auto op = f.plan->make({});
  const Batch in = batch_of({strings({"10.0.0.1", "10.0.0.2"})});
  REQUIRE(op->on_batch(in, f.out));
  slot->put(slot_of("l", {{"10.0.0.2", "second"}})->take().list, &kClock);
  REQUIRE(op->on_batch(in, f.out));
  REQUIRE(f.out.batches.size() == 2);
  const auto comment = *f.ports.out.find("match.comment");
  CHECK(text(f.out.batches[0].at(comment, 0)) == "first");
  CHECK(text(f.out.batches[1].at(comment, 0)) == "second");
}

TEST_CASE("Match asks for its fields and not for those that it makes") {
  OperatorFixture f("match", map_of({{"field", scalar("ip")}, {"list", scalar("blocked")}}),
                    schema_of({"ip"}, {blocked()}));
  Needs wanted;
  wanted.fields = {"host", "match.list"};
  CHECK(f.plan->needs(wanted).fields == std::set<std::string>{"host", "ip"});
}

TEST_CASE("Mistakes of match are told with what is meant") {
  const auto problems = [](const ConfigNode& fields, const Schema& schema) {
    OperatorFixture f("match", fields, schema);
    std::vector<std::string> told;
    for (const auto& p : f.problems.all()) told.push_back(p.message + " | " + p.hint);
    return told;
  };
  const Schema open = schema_of({"ip"}, {blocked()});
  using Told = std::vector<std::string>;
  CHECK(problems(map_of({{"field", scalar("ip")}, {"list", scalar("bloked")}}), open) ==
        Told{"unknown list \"bloked\" | did you mean \"blocked\"?"});
  CHECK(problems(map_of({{"field", scalar("ip")}, {"list", scalar("x")}}), open_schema({"ip"})) ==
        Told{"unknown list \"x\" | declare it below lists:"});
  Schema closed = open;
  closed.open = false;
  CHECK(problems(map_of({{"field", scalar("iq")}, {"list", scalar("blocked")}}), closed) ==
        Told{"unknown field \"iq\" | did you mean \"ip\"?"});
  CHECK(problems(map_of({{"list", scalar("blocked")}}), open).size() == 1);
  CHECK(problems(map_of({{"field", scalar("a")}, {"fields", list_of({"b"})}}), open).size() == 2);
  CHECK(problems(
            map_of({{"field", scalar("ip")}, {"list", scalar("blocked")}, {"as", scalar("a b")}}),
            open)
            .size() == 1);
}

TEST_CASE("Match replaces fields that are called like its own") {
  OperatorFixture f("match", map_of({{"field", scalar("ip")}, {"list", scalar("blocked")}}),
                    schema_of({"match.list", "ip"}, {blocked()}));
  f.run(batch_of({strings({"old"}), strings({"10.0.0.1"})}));
  CHECK(text(f.value("match.list", 0)) == "blocked");
  CHECK(text(f.value("ip", 0)) == "10.0.0.1");
}
