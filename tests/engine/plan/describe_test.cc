// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/describe.h"

#include "tests/engine/plan/plan_text.h"
#include "tests/support/catch.h"

using namespace streamd;

TEST_CASE("a plan is described from the sources to the sinks") {
  Diagnostics problems;
  const auto plan = fake::plan_of(
      "pipeline: nginx\n"
      "sources:\n"
      "  s: {type: lines, path: access.log, time: {field: ts, format: unix, max_delay: 2s}}\n"
      "operators:\n"
      "  c: {type: count, input: s, by: host, size: 1m}\n"
      "sinks:\n"
      "  raw: {type: out, input: s, path: raw.ndjson}\n"
      "  counts: {type: out, input: c}\n",
      problems);
  REQUIRE(plan);
  CHECK(describe(*plan) ==
        "pipeline nginx: 1 source, 1 operator, 2 sinks; a checkpoint every 1s\n"
        "\n"
        "source s (lines)\n"
        "    reads    access.log\n"
        "    decodes  json: host, ts (the rest stays raw)\n"
        "    time     event time from ts (unix), 2s late allowed\n"
        "    ends     by itself, then the process ends\n"
        "operator c (count) <- s\n"
        "    key      host (keeps state)\n"
        "    gives    host, count int\n"
        "sink raw (out) <- s\n"
        "    writes   raw.ndjson\n"
        "    gets     host, ts + the rest of the record\n"
        "    promise  exactly once, one writer\n"
        "sink counts (out) <- c\n"
        "    writes   nowhere\n"
        "    gets     host, count int\n"
        "    promise  exactly once, one writer\n"
        "dead letters go to a file in the state directory; see streamd dlq ls\n");
}

TEST_CASE("lists are described before what uses them") {
  Diagnostics problems;
  const auto plan = fake::plan_of(
      "pipeline: p\n"
      "sources: {s: {type: lines, path: a}}\n"
      "lists: {bad: {type: names, path: bad.txt, token: \"${SECRET}\"}}\n"
      "operators: {f: {type: filter, input: s, where: ip in list(\"bad\")}}\n"
      "sinks: {o: {type: out, input: f}}\n",
      problems);
  REQUIRE(plan);
  REQUIRE(plan->lists.size() == 1);
  CHECK(plan->lists[0].slot->name() == "bad");
  const std::string text = describe(*plan);
  CHECK(text.find("list bad (names)\n    reads    bad.txt\n    knows    comment, expires\n") !=
        std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);
  CHECK(text.find("decodes  json: ip (the rest stays raw)") != std::string::npos);
}

TEST_CASE("time is described in words") {
  PlanNode source;
  CHECK(describe_time(source) == "no time field: arrival time is used");
  source.common.time.emplace();
  source.common.time->field = "time_local";
  source.ports.out.fields = {{"time_local", Type::timestamp}};
  CHECK(describe_time(source) == "event time from time_local, none may be late");
  source.common.time->late = LatePolicy::route;
  CHECK(describe_time(source) ==
        "event time from time_local, none may be late, later ones leave by port late");
}

TEST_CASE("schemas are described in words") {
  CHECK(describe_schema({}) == "nothing");
  CHECK(describe_schema({{}, true, {}}) == "the record as it came");
  CHECK(describe_schema({{{"a", Type::int64}}, true, {"b"}}) ==
        "a int + the rest of the record, without b");
}
