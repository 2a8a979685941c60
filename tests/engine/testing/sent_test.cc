// SPDX-License-Identifier: Apache-2.0
// What sinks would send: their own rendering, seen by a test file.
#include "engine/testing/update.h"
#include "tests/engine/testing/suite_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string kSource = R"(
pipeline: test
sources:
  in: {type: fake, time: {field: t, format: unix}}
)";

// A pipeline with one sink, called `to`.
std::string pipeline_to(const std::string& sink) {
  return kSource + "sinks:\n  to: {input: in, " + sink + "}\n";
}

std::string report_of(const std::string& pipeline, const std::string& cases) {
  const Ran ran = run_cases(cases, pipeline);
  INFO(ran.problems);
  REQUIRE(ran.suite->good());
  CHECK_FALSE(ran.passed());
  return ran.report();
}

// Of one record.
void sends(const std::string& sink, const std::string& sent) {
  INFO(sink);
  passes(pipeline_to(sink), R"(
cases:
  - name: one
    in: {in: [{t: 1704067201, host: a_b, state: 'say "no"', n: 7}]}
    expect: {to: {exact: true, sent: [)" +
                                sent +
                                R"(]}}
)");
}

constexpr const char* kRecord = R"({t: 1704067201, host: a_b, state: 'say "no"', n: 7})";

}  // namespace

TEST_CASE("each sink sends what its own code makes of a record", "[testing]") {
  const std::string whole = kRecord;
  sends(
      R"(type: kafka, brokers: "k:9092", topic: "at-{{ host }}", key: "{{ n }}", message: "{{ state }}!")",
      R"({topic: at-a_b, key: "7", value: 'say "no"!'})");
  sends(R"(type: kafka, brokers: "k:9092", topic: all)", "{topic: all, value: " + whole + "}");
  sends(
      R"(type: discord, webhook: "https://discord.example/api/webhooks/1/x", message: "**{{ host }}**")",
      R"({content: '**a\_b**'})");
  sends(
      R"(type: discord, webhook: "https://discord.example/api/webhooks/1/x", title: "{{ n }}", color: red,
           fields: {state: "{{ state }}"})",
      R"({embed: {title: "7", color: 15158332, timestamp: 2024-01-01T00:00:01Z,
            fields: [{name: state, value: 'say "no"', inline: true}]}})");
  sends(R"(type: http, url: "https://hooks.example/x", body: '{"text": "{{ state }}"}')",
        R"({body: {text: 'say "no"'}})");
  sends(
      R"(type: http, url: "https://hooks.example/x", content_type: text/plain, body: "{{ state }}")",
      R"({body: 'say "no"'})");
  sends(R"(type: http, url: "https://hooks.example/x")", "{body: " + whole + "}");
  sends(
      R"(type: elasticsearch, url: "http://es:9200", index: "logs-%Y.%m", id: "{{ n }}", routing: "{{ host }}")",
      R"({index: logs-2024.01, id: "7", routing: a_b, document: )" + whole + "}");
  sends(R"(type: elasticsearch, url: "http://es:9200", index: "logs-{{ host }}")",
        "{index: logs-a_b, document: " + whole + "}");
  sends(R"(type: mongodb, uri: "mongodb://m", database: d, collection: "c-%Y", id: "{{ n }}")",
        R"({collection: c-2024, id: "7", document: )" + whole + "}");
  sends(R"(type: stdout, encode: text, message: "{{ host }} {{ n }}")", "{line: a_b 7}");
  sends("type: stdout", "{line: " + whole + "}");
  sends("type: file, path: nowhere/out.ndjson", "{line: " + whole + "}");
  sends(R"(type: syslog, to: "udp://192.0.2.1:514", host: h, message: "{{ state }}")",
        R"({message: '<13>1 2024-01-01T00:00:01Z h streamd - - - say "no"'})");
}

TEST_CASE("what is sent is compared by the fields that are named, also inside of JSON",
          "[testing]") {
  const std::string pipeline = pipeline_to(R"(type: kafka, brokers: "k:9092", topic: all)");
  passes(pipeline, R"(
cases:
  - name: parts
    in: {in: [{t: 1704067201, a: {b: 1}}, {t: 1704067202, a: {b: 2}}]}
    expect:
      to: {rows: [{a.b: 2}, {a.b: 1}], sent: [{value.a.b: 2}, {value: {a: {b: 1}}}], count: 2, out: 2}
)");
  const std::string report = report_of(pipeline, R"(
cases:
  - name: wrong
    in: {in: [{t: 1704067201, a: 1}]}
    expect: {to: {sent: [{topic: all, value: {a: 2}}]}}
)");
  CHECK(holds(report, "p/test.test.yaml:5:14: to sent: 1 row differs"));
  CHECK(holds(report, R"(- {"topic":"all","value":{"a":2}})"));
  CHECK(holds(report, R"(+ {"topic":"all","value":{"t":1704067201,"a":1}})"));
  CHECK(holds(report, "value.a is 1, expected 2"));
}

TEST_CASE("a body that should be JSON and is none is shown as the text that it is", "[testing]") {
  passes(
      pipeline_to(
          R"(type: http, url: "https://hooks.example/x", body: '{"n": {{ n }}, "s": {{ state }}}')"),
      R"(
cases:
  - name: no quotes
    in: {in: [{t: 1704067201, n: 7, state: on}]}
    expect: {to: {sent: [{body: '{"n": 7, "s": on}'}]}}
)");
}

TEST_CASE("what a sink cannot make is a dead letter with its reason, whatever is expected",
          "[testing]") {
  const std::string pipeline = pipeline_to(R"(type: stdout, encode: text, message: "{{ host }}")");
  const std::string report = report_of(pipeline, R"(
cases:
  - name: nobody expects it
    in: {in: [{t: 1704067201, state: on}]}
    expect: {to: 1}
)");
  CHECK(holds(report, "a dead letter that the case does not expect"));
  CHECK(holds(report, R"("node":"to","code":"template")"));
  passes(pipeline, R"(
cases:
  - name: it is expected, and over a restart it is one
    steps:
      - in: {in: [{t: 1704067201, state: on}, {t: 1704067201, host: a}]}
      - restart: true
        in: {in: [{t: 1704067202, host: b}]}
    expect:
      to: {count: 3, in: 3, out: 2, dead_letters: 1, sent: [{line: a}, {line: b}], in_order: true}
      dead_letters: [{node: to, code: template}]
)");
}

TEST_CASE("a name that a far side would not take is told as in a run", "[testing]") {
  passes(pipeline_to(R"(type: kafka, brokers: "k:9092", topic: "at-{{ host }}")"), R"(
cases:
  - name: a topic with a blank
    in: {in: [{t: 1704067201, host: a b}]}
    expect:
      to: {sent: []}
      dead_letters: [{node: to, code: bad-topic, reason: '"at-a b" is not a topic name'}]
)");
  passes(
      pipeline_to(R"(type: kafka, brokers: "k:9092", topic: all, options: {message.max.bytes: 1000},
                        message: "{{ host }}")"),
      R"(
cases:
  - name: too large
    in: {in: [{t: 1704067201, host: ')" +
          std::string(1001, 'x') + R"('}]}
    expect: {dead_letters: [{node: to, code: too-large}]}
)");
}

TEST_CASE("sinks that fail for now send everything once", "[testing]") {
  passes(pipeline_to(R"(type: stdout, encode: text, message: "{{ host }}")"), R"(
cases:
  - name: retries
    fails: {to: 3}
    in: {in: [{t: 1704067201, host: a}, {t: 1704067202, host: b}]}
    expect: {to: {sent: [{line: a}, {line: b}]}}
)");
}

TEST_CASE("the sink of the dead letters sends, too", "[testing]") {
  const std::string pipeline = kSource + R"(
dead_letters: letters
operators:
  typed: {type: convert, input: in, fields: {n: int}}
sinks:
  to: {type: stdout, input: typed}
  letters: {type: kafka, brokers: "k:9092", topic: dead, key: "{{ node }}"}
)";
  passes(pipeline, R"(
cases:
  - name: one that is no number
    in: {in: [{t: 1704067201, n: x}]}
    expect: {letters: {rows: [{node: typed}], sent: [{topic: dead, key: typed, value: {code: convert}}]}}
)");
}

TEST_CASE("what is sent and cannot be is refused with the place", "[testing]") {
  const auto refused = [](const std::string& pipeline, const std::string& expect,
                          const std::vector<std::string>& parts) {
    const Ran ran = run_cases("cases:\n  - name: x\n    expect: " + expect + "\n", pipeline);
    INFO(ran.problems);
    CHECK_FALSE(ran.suite->good());
    for (const auto& part : parts) CHECK(holds(ran.problems, part));
  };
  const std::string kafka = pipeline_to(R"(type: kafka, brokers: "k:9092", topic: all)");
  refused(
      kafka, "{to: {sent: [{tpic: x, message: y}]}}",
      {"p/test.test.yaml:3:27: error: \"to\" sends no \"tpic\" [unknown-field]",
       "did you mean \"topic\"?", "\"to\" sends no \"message\"", "there are topic, key, value"});
  refused(kafka, "{to: {sent: [text]}}", {"expected a map of fields"});
  refused(kafka, "{to: {sent: 3}}", {"expected a map of fields"});
  refused(kafka, "{in: {sent: []}}", {"\"in\" is no sink, and sends nothing", "expect its rows"});
  refused(pipeline_to("type: fake"), "{to: {sent: []}}", {"what \"to\" sends can't be seen"});
  refused(pipeline_to("type: 'null'"), "{to: {sent: [{a: 1}]}}",
          {"what \"to\" sends can't be seen"});
}

TEST_CASE("--update writes what is sent, and leaves what is right", "[testing]") {
  const std::string pipeline = pipeline_to(
      R"(type: kafka, brokers: "k:9092", topic: all, key: "{{ host }}", message: "{{ n }}")");
  const auto updated = [&](const std::string& expect) {
    const std::string text =
        "cases:\n  - name: x\n    in: {in: [{t: 1704067201, host: a, n: 1}, {t: 1704067202, host: "
        "b, n: 2}]}\n"
        "    expect:\n" +
        expect;
    const Ran ran = run_cases(text, pipeline);
    REQUIRE(ran.results.size() == 1);
    const auto update = testing::update_expectations(text, {&ran.results[0].run});
    CHECK(update.left.empty());
    CHECK(run_cases(update.text, pipeline).passed());
    return update.text.substr(update.text.find("    expect:\n") + 12);
  };
  CHECK(updated("      to: {sent: []}\n") ==
        "      to: {sent: [{topic: all, key: a, value: \"1\"}, {topic: all, key: b, value: "
        "\"2\"}]}\n");
  CHECK(updated("      to:\n        rows: [{host: b}, {host: a}]\n        sent:\n"
                "          - {key: a, value: \"1\"}   # the first\n"
                "          - {key: b, value: \"3\"}\n") ==
        "      to:\n        rows: [{host: b}, {host: a}]\n        sent:\n"
        "          - {key: a, value: \"1\"}   # the first\n"
        "          - {key: b, value: \"2\"}\n");
  CHECK(updated("      to: {count: 7, sent: [{key: c}], rows: [{host: a}, {host: c}]}\n") ==
        "      to: {count: 2, sent: [{key: a}, {key: b}], rows: [{host: a}, {host: b}]}\n");
}
