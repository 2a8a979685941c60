// SPDX-License-Identifier: Apache-2.0
// Sources that ask over HTTP, answered by a test file on the virtual clock.
#include "tests/engine/testing/suite_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// `source`: the settings of source `in`.
std::string pipeline_of(const std::string& source) {
  return "pipeline: test\nsources:\n  in: {" + source +
         "}\nsinks:\n  out: {type: fake, input: in}\n";
}
std::string polling(const std::string& settings) {
  return pipeline_of(
      "type: http, url: \"https://api.example/events?kind=a\", time: {field: t, format: unix, "
      "idle_after: 5s}, " +
      settings);
}

void fails_with(const std::string& pipeline, const std::string& cases,
                const std::vector<std::string>& parts) {
  const Ran ran = run_cases(cases, pipeline);
  INFO(ran.problems);
  REQUIRE(ran.suite->good());
  INFO(ran.report());
  CHECK_FALSE(ran.passed());
  for (const auto& part : parts) CHECK(holds(ran.report(), part));
}

void refused(const std::string& pipeline, const std::string& cases,
             const std::vector<std::string>& parts) {
  const Ran ran = run_cases(cases, pipeline);
  INFO(ran.problems);
  CHECK_FALSE(ran.suite->good());
  for (const auto& part : parts) CHECK(holds(ran.problems, part));
}

}  // namespace

TEST_CASE("a source asks its answers, page by page, and again when it is time", "[testing]") {
  const std::string pipeline =
      polling("path: data.items, every: 1m, pagination: {cursor: {path: next, param: c}}");
  passes(pipeline, R"(
cases:
  - name: two pages, a minute of rest, one more
    steps:
      - answers:
          in:
            - {path: "/events?kind=a", times: 1, json: {data: {items: [{t: 1704067200, n: 1}, {t: 1704067200, n: 2}]}, next: b c}}
            - {path: "/events?kind=a&c=b%20c", json: {data: {items: [{t: 1704067200, n: 3}]}}}
            - {path: "/events*", json: {data: {items: [{t: 1704067230, n: 4}]}}}
        after: 59999ms
        expect: {out: {rows: [{n: 1}, {n: 2}, {n: 3}], in_order: true}}
      - {after: 1ms, expect: {out: [{n: 4}], in: {out: 4}}}
)");
}

TEST_CASE("every format that a source reads can be answered", "[testing]") {
  passes(polling("format: ndjson, once: true"), R"(
cases:
  - name: lines
    answers: {in: [{lines: [{t: 1704067200, n: 1}, '{"t": 1704067200, "n": 2}', no JSON]}]}
    expect: {out: [{n: 1}, {n: 2}], dead_letters: [{node: in, code: bad-json}]}
)");
  passes(polling("format: csv, once: true"), R"(
cases:
  - name: a table
    answers: {in: [{text: "t,n\n1704067200,one\n"}]}
    expect: {out: [{n: one}]}
)");
  passes(polling("once: true, pagination: {link: true}"), R"(
cases:
  - name: links
    answers:
      in:
        - {path: "/events?kind=a", headers: {link: "<?page=2>; rel=next"}, json: [{t: 1704067200, n: 1}]}
        - {path: "/events?page=2", json: {t: 1704067200, n: 2}}
    expect: {out: [{n: 1}, {n: 2}]}
)");
}

TEST_CASE("what did not change is no record, and the validators are the source's own",
          "[testing]") {
  passes(polling("every: 10s"), R"(
cases:
  - name: not modified
    answers:
      in:
        - {json: [{t: 1704067200, n: 1}], headers: {ETag: '"x"'}, times: 1}
        - {status: 304}
    after: 30s
    expect: {out: [{n: 1}]}
)");
}

TEST_CASE("a source tries again after errors, at the times of the virtual clock", "[testing]") {
  passes(polling("every: 1h"), R"(
cases:
  - name: away, busy, there
    steps:
      - answers:
          in:
            - {unreachable: true, times: 1}
            - {status: 503, retry_after: 30s, times: 1}
            - {status: 429, headers: {Retry-After: "60"}, times: 1}
            - {json: [{t: 1704067200, n: 1}]}
        after: 89s
        expect: {out: []}
      - {after: 11s, expect: {out: [{n: 1}]}}
)");
  fails_with(polling("every: 1h"), R"(
cases:
  - name: a login is wanted
    answers: {in: [{status: 401}]}
    expect: {out: []}
)",
             {"the run ended with an error", "api.example:443: it answers with status 401",
              "Check basic, bearer or headers"});
}

TEST_CASE("a restart goes on with the page behind the last checkpoint", "[testing]") {
  passes(polling("every: 1h, pagination: {page: {size: 2}}"), R"(
cases:
  - name: pages over a restart
    steps:
      - answers:
          in:
            - {path: "/events?kind=a&page=1", json: [{t: 1704067200, n: 1}, {t: 1704067200, n: 2}], times: 1}
            - {path: "/events?kind=a&page=2", status: 500, times: 1}
            - {path: "/events?kind=a&page=2", json: [{t: 1704067200, n: 3}]}
            - {path: "/events?kind=a&page=1", json: [{t: 1704067200, n: 4}]}
        expect: {out: [{n: 1}, {n: 2}]}
      - restart: true
    after: 10s
    expect: {out: [{n: 3}, {n: 4}], in: {out: 4}}
)");
}

TEST_CASE("windows over a source that asks close when it is known to be silent", "[testing]") {
  passes(R"(
pipeline: test
sources:
  in: {type: http, url: "https://api.example/", every: 30s, time: {field: t, format: unix, max_delay: 1s, idle_after: 5s}}
operators:
  counts: {type: window, input: in, window: {tumbling: 10s}, compute: {count: count()}}
sinks:
  out: {type: fake, input: counts}
)",
         R"(
cases:
  - name: a minute later
    steps:
      - answers: {in: [{json: [{t: 1704067201}], times: 1}, {json: []}]}
        after: 29s
        expect: {out: []}
      - {after: 31s, expect: {out: [{count: 1}]}}
  - name: the end of all sources
    answers: {in: [{json: [{t: 1704067201}]}]}
    end: true
    expect: {out: [{count: 1}]}
)");
}

TEST_CASE("questions without an answer and answers without a question are told", "[testing]") {
  fails_with(
      polling("every: 10s"), R"(
cases:
  - name: asked too often
    answers:
      in: [{json: [], times: 2}]
    after: 30s
)",
      {"p/test.test.yaml:5:7: \"in\" asks GET /events?kind=a, and the test file has no answer",
       "add it below answers"});
  fails_with(polling("every: 10s"), R"(
cases:
  - name: never asked
    answers:
      in:
        - {path: "/events?kind=a", json: []}
        - {path: /others, json: []}
    after: 30s
)",
             {"p/test.test.yaml:7:11: \"in\" never asks for this answer"});
  const Ran ran = run_cases(R"(
answers:
  in:
    - {path: "/events?kind=a", json: []}
    - {path: /others, json: []}
cases:
  - {name: a case, after: 1s, expect: {out: []}}
)",
                            polling("every: 10s"));
  CHECK(ran.passed());
  CHECK(holds(
      ran.afterwards(),
      "p/test.test.yaml:5:7: warning: \"in\" asks for this answer in no case [unused-answer]"));
}

TEST_CASE("a search of Shodan pages once a second, and commits each page first", "[testing]") {
  passes(pipeline_of("type: shodan, mode: search, key: k, query: 'port:22', pages: 3"), R"(
cases:
  - name: three pages
    steps:
      - answers:
          in:
            - {path: "/api-info?key=k", json: {plan: dev, query_credits: 9}, times: 1}
            - {path: "/shodan/host/search?query=port%3A22&page=1&*", json: {matches: [{ip_str: 192.0.2.1}, {ip_str: 192.0.2.2}], total: 201}}
            - {path: "/shodan/host/search?query=port%3A22&page=2&*", json: {matches: [{ip_str: 192.0.2.3}], total: 201}}
        after: 1s
        expect: {out: 2}
      - {after: 1s, expect: {out: [{ip_str: 192.0.2.3}]}}
      - {restart: true, answers: {in: [{path: "/api-info*", json: {query_credits: 7}}, {path: "/shodan/host/search?*", json: {matches: [{ip_str: 192.0.2.4}], total: 201}}]}, after: 5s}
    expect: {out: [{ip_str: 192.0.2.4}]}
)");
}

TEST_CASE("a stream of Shodan stays open until it gets other answers", "[testing]") {
  passes(pipeline_of("type: shodan, mode: stream, key: k, ports: ['22']"), R"(
cases:
  - name: banners as they come
    steps:
      - answers: {in: [{path: "/shodan/ports/22?*", lines: [{ip_str: 192.0.2.1}, {ip_str: 192.0.2.2}]}]}
        after: 1h
        expect: {out: 2}
      - answers: {in: [{path: "/shodan/ports/22?*", lines: [{ip_str: 192.0.2.3}]}]}
        after: 10s
        expect: {out: [{ip_str: 192.0.2.3}]}
)");
}

TEST_CASE("answers that nobody can ask for are refused with the place", "[testing]") {
  const std::string pipeline = R"(
pipeline: test
sources:
  in: {type: http, url: "https://api.example/"}
  lines: {type: fake}
sinks:
  out: {type: fake, input: [in, lines]}
)";
  refused(pipeline, R"(
cases:
  - name: mistakes
    answers:
      inn: [{json: []}]
      lines: [{json: []}]
      out: [{json: []}]
)",
          {"p/test.test.yaml:5:7: error: the pipeline has no enrich operator or source",
           "did you mean \"in\"?", "p/test.test.yaml:6:7: error: \"lines\" asks nobody over HTTP",
           "give it records: in: {lines: […]}",
           "p/test.test.yaml:7:7: error: \"out\" asks nobody over HTTP"});
  refused(pipeline, R"(
cases:
  - name: both
    in: {in: [{a: 1}]}
    answers: {in: [{json: []}]}
)",
          {"p/test.test.yaml:4:10: error: \"in\" gets answers, so it asks by itself",
           "give it records or answers"});
  refused(pipeline, R"(
cases:
  - name: wrong values
    answers: {in: [{json: [], text: a}, {status: 99}, {jsn: []}, {lines: [a], text: b}, text]}
)",
          {"json, text and lines exclude each other", "status is from 100 to 599",
           "did you mean \"json\"?", "expected a map"});
  refused(pipeline, R"(
cases:
  - name: a key
    answers: {in: [{key: x}]}
)",
          {"p/test.test.yaml:4:20: error: \"in\" asks a service: answers have a path, not a key"});
}
