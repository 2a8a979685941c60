// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/build.h"

#include "engine/plan/describe.h"
#include "tests/engine/plan/plan_text.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace streamd;

namespace {

Plan plan_of(const std::string& text, std::vector<std::string>* warnings = nullptr) {
  Diagnostics problems;
  auto plan = fake::plan_of("pipeline: test\n" + text, problems);
  for (const auto& p : problems.all()) {
    if (p.severity == Severity::warning && warnings)
      warnings->push_back(p.message);
    else
      FAIL_CHECK(p.message);
  }
  REQUIRE(plan);
  return std::move(*plan);
}

const PlanNode& node(const Plan& plan, const std::string& name) {
  for (const auto& n : plan.nodes)
    if (n.name == name) return n;
  FAIL("no node " << name);
  return plan.nodes.front();
}

std::vector<std::string> columns(const Schema& schema) {
  std::vector<std::string> out;
  for (const auto& f : schema.fields) out.push_back(f.name);
  return out;
}

std::vector<std::string> order(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& n : plan.nodes) out.push_back(n.name);
  return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a source decodes what is used and nothing else") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x, time: {field: '@timestamp', format: unix}}}\n"
      "operators:\n"
      "  f: {type: filter, input: s, where: status >= 400 && has(geo.country)}\n"
      "  c: {type: count, input: f, by: [host, client], size: 1m}\n"
      "sinks: {o: {type: out, input: c}}\n");
  CHECK(columns(node(plan, "s").ports.out) ==
        Names{"@timestamp", "client", "geo.country", "host", "status"});
  CHECK(node(plan, "s").ports.out.open);
  CHECK(columns(node(plan, "o").in) == Names{"host", "client", "count"});
  CHECK(node(plan, "c").key_columns == std::vector<std::size_t>{3, 1});
  CHECK(node(plan, "c").inputs[0].identity);
  CHECK(plan.nodes[node(plan, "c").inputs[0].node].name == "f");
}

TEST_CASE("a whole open record needs no column") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}}\n"
      "sinks: {o: {type: out, input: s}}\n");
  CHECK(node(plan, "s").ports.out.fields.empty());
  CHECK(node(plan, "o").in.raw_is_exact());
  CHECK_FALSE(node(plan, "s").common.time);
}

TEST_CASE("closed sources are narrowed to the columns in use") {
  const std::string source =
      "sources: {s: {type: lines, path: x, decode: {access_log: combined}}}\n";
  const Plan narrow =
      plan_of(source + "sinks: {o: {type: out, input: s, fields: [status, remote_addr]}}\n");
  CHECK(columns(node(narrow, "s").ports.out) == Names{"remote_addr", "time_local", "status"});
  const Plan whole = plan_of(source + "sinks: {o: {type: out, input: s}}\n");
  CHECK(whole.nodes[0].ports.out.fields.size() ==
        decoded_schema(whole.nodes[0].common.decode).fields.size());
}

TEST_CASE("access logs have a time of their own") {
  const Plan plan = plan_of(
      "sources:\n"
      "  a: {type: lines, path: x, decode: {access_log: common}}\n"
      "  b: {type: lines, path: x, decode: {access_log: common}, time: {max_delay: 2s}}\n"
      "sinks: {o: {type: out, input: [a, b]}}\n");
  CHECK(node(plan, "a").common.time->field == "time_local");
  CHECK(node(plan, "b").common.time->field == "time_local");
  CHECK(node(plan, "b").common.time->max_delay == Duration::from_seconds(2));
}

TEST_CASE("a source's own default decoding counts unless the pipeline says otherwise") {
  const Plan plan = plan_of(
      "sources:\n"
      "  a: {type: lines, path: x, standard: text}\n"
      "  b: {type: lines, path: x, standard: text, decode: json}\n"
      "sinks: {o: {type: out, input: a}, p: {type: out, input: b}}\n");
  CHECK(node(plan, "a").common.decode.kind == DecodeConfig::Kind::text);
  CHECK(columns(node(plan, "a").ports.out) == Names{"message"});
  CHECK(node(plan, "b").common.decode.kind == DecodeConfig::Kind::json);
}

TEST_CASE("nodes stand in the order of the file as far as inputs allow") {
  const Plan plan = plan_of(
      "sources: {z: {type: lines, path: x}, a: {type: lines, path: y}}\n"
      "operators:\n"
      "  late: {type: filter, input: early, where: x == 1}\n"
      "  early: {type: filter, input: [z, a], where: x == 1}\n"
      "sinks: {o: {type: out, input: late}}\n");
  CHECK(order(plan) == Names{"z", "a", "early", "late", "o"});
}

TEST_CASE("late records bring their fields and their lateness") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}}\n"
      "operators: {c: {type: count, input: s, by: host, size: 1m}}\n"
      "sinks:\n"
      "  o: {type: out, input: c}\n"
      "  l: {type: out, input: c.late, fields: [uri, lateness]}\n");
  CHECK(columns(node(plan, "s").ports.out) == Names{"host", "uri"});
  CHECK(columns(node(plan, "l").in) == Names{"host", "uri", "lateness"});
  CHECK(node(plan, "l").inputs[0].port == Port::late);
}

TEST_CASE("routes are outputs of their own with one schema") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}}\n"
      "operators: {r: {type: split, input: s, names: [good, bad]}}\n"
      "sinks:\n"
      "  b: {type: out, input: r.bad, fields: [uri]}\n"
      "  g: {type: out, input: [r.good, s], fields: [host]}\n");
  CHECK(columns(node(plan, "s").ports.out) == Names{"host", "uri"});
  CHECK(node(plan, "b").inputs[0].port == route_port(1));
  CHECK(node(plan, "g").inputs[0].port == route_port(0));
  CHECK(node(plan, "g").inputs[1].port == Port::out);
  const std::string told = describe(plan);
  CHECK(told.find("sink b (out) <- r.bad") != std::string::npos);
  CHECK(told.find("routes   good, bad") != std::string::npos);
}

TEST_CASE("what is late for the second time has one lateness") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}}\n"
      "operators:\n"
      "  c: {type: count, input: s, by: host, size: 1m}\n"
      "  d: {type: count, input: [c.late, s], by: host, size: 1h}\n"
      "sinks:\n"
      "  o: {type: out, input: [c, d]}\n"
      "  l: {type: out, input: d.late}\n"
      "  m: {type: out, input: c.late}\n");
  for (const char* sink : {"l", "m"}) {
    const Schema& in = node(plan, sink).in;
    CHECK(std::count_if(in.fields.begin(), in.fields.end(),
                        [](const Field& f) { return f.name == "lateness" && f.derived; }) == 1);
  }
}

TEST_CASE("a batch with more columns than the schema is brought to the schema") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}, t: {type: lines, path: y}}\n"
      "operators:\n"
      "  c: {type: count, input: [s, t], by: host, size: 1m}\n"
      "sinks:\n"
      "  o: {type: out, input: c}\n"
      "  l: {type: out, input: c.late}\n"
      "  u: {type: out, input: s, fields: [uri]}\n");
  CHECK(columns(node(plan, "s").ports.out) == Names{"host", "uri"});
  CHECK(columns(node(plan, "c").in) == Names{"host"});
  CHECK_FALSE(node(plan, "c").inputs[0].identity);
  CHECK(node(plan, "c").inputs[1].identity);
}

TEST_CASE("open inputs that differ are brought to one schema for whole records") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}}\n"
      "operators:\n"
      "  n: {type: set, input: s, field: n}\n"
      "  r: {type: remove, input: s, field: password}\n"
      "sinks: {o: {type: out, input: [s, n, r]}}\n");
  CHECK(columns(node(plan, "s").ports.out) == Names{"n", "password"});
  const PlanNode& sink = node(plan, "o");
  CHECK(columns(sink.in) == Names{"n", "password"});
  CHECK(sink.in.fields[0].derived);
  CHECK(sink.in.fields[1].derived);
  CHECK(sink.in.hidden.empty());
  CHECK(sink.inputs[0].identity);
  CHECK(sink.inputs[2].columns == std::vector<int>{0, -1});
}

TEST_CASE("raw records and results may be mixed when only some fields are used") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}}\n"
      "operators: {c: {type: count, input: s, by: host, size: 1m}}\n"
      "sinks: {o: {type: out, input: [s, c], fields: [host, uri]}}\n");
  CHECK_FALSE(node(plan, "o").in.open);
  CHECK(columns(node(plan, "o").in) == Names{"host", "uri", "count"});
  CHECK(node(plan, "o").inputs[1].columns == std::vector<int>{0, -1, 1});
}

TEST_CASE("the dead-letter sink gets the schema of dead letters") {
  const Plan plan = plan_of(
      "sources: {s: {type: lines, path: x}}\n"
      "sinks: {o: {type: out, input: s}, d: {type: out}}\n"
      "dead_letters: d\n"
      "checkpoint: {every: 2s}\n");
  REQUIRE(plan.dead_letters);
  CHECK(plan.nodes[*plan.dead_letters].name == "d");
  CHECK(columns(plan.nodes[*plan.dead_letters].in) == columns(dead_letter_schema()));
  CHECK(plan.nodes[*plan.dead_letters].inputs.empty());
  CHECK(plan.checkpoint_every == Duration::from_seconds(2));
}

TEST_CASE("routed late records that nobody reads are a warning") {
  std::vector<std::string> warnings;
  plan_of(
      "sources: {s: {type: lines, path: x, time: {field: t, late: route}}}\n"
      "sinks: {o: {type: out, input: s}}\n",
      &warnings);
  CHECK(warnings == Names{"source \"s\": late records are routed, but nothing reads them"});
}
