// SPDX-License-Identifier: Apache-2.0
// What a test file gives to a source, as the records that it hands out.
#include "engine/testing/given.h"

#include "engine/codec/time_format.h"
#include "tests/engine/testing/yaml_node.h"

using namespace streamd;
using namespace streamd::testing;
using streamd::test::yaml_node;

namespace {

constexpr EventTime kStart = kDefaultStart;

Plan plan_with(const std::string& field, const std::string& format) {
  Plan plan;
  for (const char* name : {"in", "other"}) {
    PlanNode node;
    node.name = name;
    node.common.time = TimeConfig{};
    node.common.time->field = field;
    node.common.time->format = format;
    plan.nodes.push_back(std::move(node));
  }
  return plan;
}

NamedList<GivenList> given(const std::string& yaml) {
  Diagnostics problems;
  NamedList<GivenList> in;
  REQUIRE(FieldType<NamedList<GivenList>>::read(yaml_node(yaml), in, problems));
  return in;
}

std::vector<std::string> data(const std::string& yaml, const Plan& plan) {
  std::vector<std::string> all;
  for (const auto& record : records_of(given(yaml), plan, kStart)) all.push_back(record.data);
  return all;
}
using Data = std::vector<std::string>;

}  // namespace

TEST_CASE("texts are handed out as they are, a block line by line, maps as JSON", "[testing]") {
  const Plan plan = plan_with("t", "unix");
  CHECK(data("in: [one, 'two  ', \"a\\nb\"]", plan) == Data{"one", "two  ", "a\nb"});
  CHECK(data("in: |\n  one\n  ${two}\n", plan) == Data{"one", "${two}"});
  CHECK(data("in: [{a: 1, b: \"1\", c: x, d: [true, null], e: 01}]", plan) ==
        Data{R"({"a":1,"b":"1","c":"x","d":[true,null],"e":"01"})"});
  CHECK(data("in: {a: 1}", plan) == Data{R"({"a":1})"});
}

TEST_CASE("a record's time goes where its source reads it, in its format", "[testing]") {
  const std::string in = "in: [{record: {a: 1}, at: 1500ms}]";
  CHECK(data(in, plan_with("t", "unix")) == Data{R"({"a":1,"t":1704067201.5})"});
  CHECK(data(in, plan_with("t", "unix_ms")) == Data{R"({"a":1,"t":1704067201500})"});
  CHECK(data(in, plan_with("t", "rfc3339")) == Data{R"({"a":1,"t":"2024-01-01T00:00:01.5Z"})"});
  CHECK(data(in, plan_with("t", "%d.%m.%Y %H:%M:%S.%f")) ==
        Data{R"({"a":1,"t":"01.01.2024 00:00:01.500000"})"});
  CHECK(data("in: [{record: {e: {a: 1}}, at: 2024-01-01T00:00:02Z}]", plan_with("e.t", "unix")) ==
        Data{R"({"e":{"a":1,"t":1704067202}})"});
  CHECK(data("in: [{record: {t: 7}, at: 1s}]", plan_with("t", "unix")) == Data{R"({"t":7})"});
}

TEST_CASE("holes are filled with the time and the number, other braces stay", "[testing]") {
  const Plan plan = plan_with("t", "clf");
  CHECK(
      data(
          "in: [{record: '{{ n }} [{{at}}] {{ x }} {{ at %H:%M }}', at: 1m, repeat: 2, every: 1m}]",
          plan) == Data{"1 [01/Jan/2024:00:01:00 +0000] {{ x }} 00:01",
                        "2 [01/Jan/2024:00:02:00 +0000] {{ x }} 00:02"});
  CHECK(data("in: [{record: {id: \"x{{ n }}\", t: 0}, repeat: 2}]", plan) ==
        Data{R"({"id":"x1","t":0})", R"({"id":"x2","t":0})"});
}

TEST_CASE("records of several sources come by their times, those of one as they stand",
          "[testing]") {
  const auto records = records_of(
      given("in: [{record: a, at: 5s}, {record: b, at: 1s}]\nother: [{record: c, at: 3s}]"),
      plan_with("t", "unix"), kStart);
  REQUIRE(records.size() == 3);
  CHECK(records[0].data == "c");
  CHECK(records[1].data == "a");
  CHECK(records[2].data == "b");
  CHECK(records[2].at == kStart + Duration::from_seconds(1));
}

TEST_CASE("what is written as a time is read as the same one by the same format", "[testing]") {
  const EventTime time{1'709'251'199'987'654};  // the end of a 29th of February
  for (const char* format :
       {"unix", "unix_us", "unix_ns", "rfc3339", "%Y-%m-%dT%H:%M:%S.%f", "%s.%f",
        "%d %b %Y %H:%M:%S.%f %z", "%A %e %B %y %T.%f %Z", "%j %Y %T.%f"}) {
    CAPTURE(format);
    const std::string text = write_time(time, format);
    CAPTURE(text);
    CHECK(TimeFormat::parse(format)->read(Value::string(text)) == time);
  }
  CHECK(TimeFormat::parse("unix_ms")->read(Value::string(write_time(time, "unix_ms"))) == time);
  const EventTime second{1'709'251'199'000'000};
  CHECK(TimeFormat::parse("clf")->read(Value::string(write_time(second, "clf"))) == second);
}

TEST_CASE("a hole without a time, and one with a wrong format, are mistakes", "[testing]") {
  Diagnostics problems;
  for (const auto& [name, place, list] :
       given("in: ['{{ at }}', {record: '{{ at %Q }}', at: 1s}, {record: {a: '{{ n }}'}}]"))
    check_given(list, problems);
  REQUIRE(problems.all().size() == 2);
  CHECK(problems.all()[0].message == "{{ at }} has no time to write");
  CHECK(problems.all()[1].code == "time-format");
}
