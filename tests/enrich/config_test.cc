// SPDX-License-Identifier: Apache-2.0
// Wrong settings of enrich, word for word: each is told at its place, all at once.
#include "engine/config/render.h"
#include "engine/config/yaml.h"
#include "tests/enrich/enrich_fixture.h"

#include <vector>

using namespace streamd;
using namespace streamd::test;

namespace {

// What is said about the fields of an enrich: "line:column: message", in the order of the file.
std::vector<std::string> told(const std::string& yaml) {
  Diagnostics problems;
  const auto node = parse_yaml(yaml, 0, {}, problems);
  REQUIRE(node);
  Registry registry;
  add_enrich_operator(registry);
  if (auto plan = make_plan(registry.operators(), "enrich", *node, problems))
    plan->bind(open_schema({"ip"}), problems);
  std::vector<std::string> lines;
  for (const auto& problem : tidy(problems))
    lines.push_back(std::to_string(problem.place.line) + ":" +
                    std::to_string(problem.place.column) + ": " + problem.message);
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("Good settings of every kind") {
  CHECK(told("kind: table\nfield: ip\npath: t.csv\nkey: k\nfields: {a: b}\nrefresh: 1s") ==
        Lines{});
  CHECK(told("kind: mmdb\nfield: ip\npath: x\nfields: {a: b}\ncache: 10") == Lines{});
  CHECK(told("kind: http\nurl: http://h/{{ ip }}\nfields: {a: b}\nmissing: [404, 410]\nrate: 0.1\n"
             "ttl: 1h\nnegative_ttl: 0s\nconcurrency: 9\nmax_answer: 1KiB\non_error: 'null'\n"
             "basic: {user: u, password: p}\ntimeout: 1s\nheaders: {x-api-key: k}\n"
             "on_missing: drop\ncache: 0") == Lines{});
  CHECK(told("kind: http\nurl: http://h?q={{ ip }}\nfields: {a: b}") == Lines{});
  CHECK(told("kind: crowdsec\nfield: ip\napi_key: k\nfields: {a: type, b: until, c: count}") ==
        Lines{});
  CHECK(told("kind: crowdsec\nfield: ip\napi_key: k\nurl: https://h/v1\nfields: {a: value}\n"
             "tls: {ca: x.pem}") == Lines{});
}

TEST_CASE("A field of another kind is told where it stands") {
  CHECK(told("kind: table\nfield: ip\npath: t\nfields: {a: b}\nurl: x\nttl: 1s\ncache: 3") ==
        Lines{"5:1: \"url\" is for kind: http or crowdsec",
              "6:1: \"ttl\" is for kind: http or crowdsec",
              "7:1: \"cache\" is for kind: mmdb or http or crowdsec"});
  CHECK(told("kind: http\nfield: ip\nurl: http://h/{{ ip }}\npath: p\napi_key: k\n"
             "fields: {a: b}") == Lines{"2:1: \"field\" is for kind: table or mmdb or crowdsec",
                                        "4:1: \"path\" is for kind: table or mmdb",
                                        "5:1: \"api_key\" is for kind: crowdsec"});
  CHECK(told("kind: crowdsec\nfield: ip\napi_key: k\nkey: k\nbearer: t\nmissing: 404\n"
             "fields: {a: type}") == Lines{"4:1: \"key\" is for kind: table",
                                           "5:1: \"bearer\" is for kind: http",
                                           "6:1: \"missing\" is for kind: http"});
  CHECK(told("kind: mmdb\nfield: ip\npath: x\non_error: keep\nfields: {a: b}") ==
        Lines{"4:1: \"on_error\" is for kind: http or crowdsec"});
}

TEST_CASE("What a kind cannot do without is told") {
  CHECK(told("kind: table\nfields: {a: b}") ==
        Lines{"1:1: \"field\" is missing", "1:1: \"path\" is missing"});
  CHECK(told("kind: http\nfields: {a: b}") == Lines{"1:1: \"url\" is missing"});
  CHECK(told("kind: crowdsec\nfields: {a: type}") ==
        Lines{"1:1: \"field\" is missing", "1:1: \"api_key\" is missing"});
  CHECK(told("kind: crowdsec\nfield: ip\napi_key: ''\nfields: {a: type}") ==
        Lines{"3:10: api_key must not be empty"});
  CHECK(told("field: ip") == Lines{"1:1: \"kind\" is missing", "1:1: \"fields\" is missing"});
}

TEST_CASE("The host of a URL must be written out") {
  const auto url = [](const std::string& text) {
    return told("kind: http\nfields: {a: b}\nurl: '" + text + "'");
  };
  for (const char* text : {"http://{{ ip }}/", "{{ ip }}", "http://h{{ ip }}/x",
                           "http://h:{{ ip }}/", "http://u:{{ ip }}@h/", "h/{{ ip }}"})
    CHECK(url(text) == Lines{"3:6: the host of url must be written out"});
  CHECK(url("http://h/x") ==
        Lines{"3:6: url holds no {{ }}, so that every record would ask the same"});
  CHECK(url("ftp://h/{{ ip }}").size() == 1);
  CHECK(url("http://h:99999/{{ ip }}").size() == 1);
  CHECK(url("http://h/{{ ip").size() == 1);
  CHECK(url("http://h/{{ ip + }}").size() == 1);
  CHECK(url("http://h/{{ nonsense(ip) }}").size() == 1);
  for (const char* text : {"http://h:hunter2/{{ ip }}", "hunter2{{ ip }}"})
    for (const auto& line : url(text)) CHECK(line.find("hunter2") == std::string::npos);
}

TEST_CASE("What CrowdSec does not know is told with what it knows") {
  const auto lines = told(
      "kind: crowdsec\nfield: ip\napi_key: k\nurl: http://h/{{ ip }}\n"
      "fields: {a: typ, b: count, c: duration}");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "4:6: the url of kind: crowdsec holds no {{ }}: field says what is asked for");
  CHECK(lines[1].starts_with("5:13: "));
  CHECK(lines[2].starts_with("5:31: "));
}

TEST_CASE("Values that cannot be are told") {
  const auto with = [](const std::string& more) {
    return told("kind: http\nurl: http://h/{{ ip }}\nfields: {a: b}\n" + more);
  };
  for (const char* more : {"rate: -1", "concurrency: 0", "concurrency: 257", "ttl: 0s",
                           "missing: [200]", "missing: [500]", "max_answer: 100", "timeout: 0s",
                           "cache: 10000001", "bearer: t\nbasic: {user: u, password: p}"}) {
    INFO(more);
    CHECK(with(more).size() == 1);
  }
  CHECK(with("on_error: drop")[0].starts_with("4:11: "));
  CHECK(with("rate: 10/s")[0].starts_with("4:7: "));
  CHECK(told("kind: htpt\nfields: {a: b}\nurl: x")[0].starts_with("1:7: "));
  CHECK(told("kind: htpt\nfields: {a: b}\nurl: x").size() == 1);
  CHECK(told("kind: crowdsec\nfield: ip\nfields: {a: type}\napi_key: \"k\\n\"").size() == 1);
  CHECK(told("kind: table\nfield: ip\npath: t\nfields: {}") ==
        Lines{"1:1: fields must name at least one field"});
}
