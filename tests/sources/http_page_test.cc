// SPDX-License-Identifier: Apache-2.0
#include "sources/http_page.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

HttpSourceConfig config_of(HttpFormat format, std::string path = {}) {
  HttpSourceConfig config;
  config.format = format;
  config.path = std::move(path);
  return config;
}

std::vector<std::string> records(const std::string& body, const HttpSourceConfig& config) {
  const auto page = read_page(body, config, {});
  if (!page) return {"error: " + page.error().message};
  std::vector<std::string> out;
  for (const auto& r : page->records) out.emplace_back(r.data);
  CHECK((page->records.empty() || page->padding > 0));
  return out;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("An answer gives its records in each format") {
  CHECK(records(R"({"data":{"items":[{"a":1},{"a":2}]}})",
                config_of(HttpFormat::json, "data.items")) == Texts{R"({"a":1})", R"({"a":2})"});
  CHECK(records(R"({"a":1})", config_of(HttpFormat::json)) == Texts{R"({"a":1})"});
  CHECK(records("[]", config_of(HttpFormat::json)) == Texts{});
  CHECK(records("{\"a\":1}\r\n\n{\"a\":2}", config_of(HttpFormat::ndjson)) ==
        Texts{R"({"a":1})", R"({"a":2})"});
  CHECK(records("", config_of(HttpFormat::ndjson)) == Texts{});
  CHECK(records("\xEF\xBB\xBFip,port\n203.0.113.1,22\n", config_of(HttpFormat::csv)) ==
        Texts{R"({"ip":"203.0.113.1","port":"22"})"});
  CHECK(records("ip,port\n", config_of(HttpFormat::csv)) == Texts{});
  CHECK(records("<a>\nb\n", config_of(HttpFormat::lines)) == Texts{"<a>", "b"});
}

TEST_CASE("An answer that is something else says what it is") {
  const auto json = config_of(HttpFormat::json, "data");
  CHECK(records("<html>", json) == Texts{"error: the answer is HTML instead of JSON"});
  CHECK(records("\r\n <!DOCTYPE html>", config_of(HttpFormat::ndjson)) ==
        Texts{"error: the answer is HTML instead of JSON"});
  CHECK(records("", json) == Texts{"error: the answer is empty"});
  CHECK(records("busy", json) == Texts{"error: the answer is no JSON"});
  CHECK(records(R"({"other":[]})", json) ==
        Texts{"error: the answer has no array or object at \"data\""});
  CHECK(records(R"({"data":3})", json) ==
        Texts{"error: the answer has no array or object at \"data\""});
  CHECK(records(R"([{"a":1},{"a)", config_of(HttpFormat::json)) ==
        Texts{"error: the answer is no complete JSON array or object"});
  for (const char* body : {"[{\"a\":1}]\n[{\"a\":2}]", "[{\"a\":1}] trailing", "{\"a\":1}{\"a\":2}",
                           "[]]", "{\"data\":[]}\n{\"data\":[{\"a\":1}]}"})
    for (const char* path : {"", "data"})
      CHECK(records(body, config_of(HttpFormat::json, path)) ==
            Texts{"error: something follows the JSON array or object of the answer"});
  CHECK(records("{\"data\":[{\"a\":1}]}\r\n", json) == Texts{R"({"a":1})"});
  CHECK(records("a,b\n\"1,2\n", config_of(HttpFormat::csv)) ==
        Texts{"error: the CSV ends inside a quoted field"});
}

TEST_CASE("The next page's cursor is a text or a number; none is the end") {
  CHECK(next_cursor(R"({"meta":{"next":"a/b="}})", "meta.next") == "a/b=");
  CHECK(next_cursor(R"({"next":17})", "next") == "17");
  for (const char* body : {"{}", R"({"next":null})", R"({"next":""})", R"({"next":false})",
                           R"({"next":{}})", "", "[1]"})
    CHECK(!next_cursor(body, "next"));
}

TEST_CASE("The next page of a Link header is the one with rel=next") {
  CHECK(next_link(R"(</p?page=2>; rel="next")") == "/p?page=2");
  CHECK(next_link(R"(<a>; rel="prev", <b,c;d>; title="x, y"; rel=next)") == "b,c;d");
  CHECK(next_link(R"(<a>; REL="last next"; x)") == "a");
  CHECK(next_link(R"(<a>, <b>;rel=NEXT,<c>;rel=next)") == "b");
  for (const char* header :
       {"", "a; rel=next", "<a", "<a>", "<a>; rel=prev", "<a>; rel=\"nextish\"", "<a>; rel=\"",
        "<a>; rel", "<a>;;;", "<a>; title=\"rel=next\""}) {
    INFO(header);
    CHECK(!next_link(header));
  }
}
