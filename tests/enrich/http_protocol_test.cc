// SPDX-License-Identifier: Apache-2.0
#include "enrich/http_protocol.h"

#include "tests/contract/component.h"
#include "tests/engine/io/http/test_server.h"
#include "tests/enrich/enrich_fixture.h"

using namespace streamd;
using namespace streamd::enrich;
using namespace streamd::test;

namespace {

Config config(const std::string& url) {
  Config c;
  c.kind = EnrichKind::http;
  c.fields = {{"a", "a"}};
  c.url = TemplateText{url, scalar(url)};
  return c;
}

std::unique_ptr<Protocol> protocol(const std::string& url = "http://far/x/{{ ip }}") {
  Diagnostics problems;
  const Config c = config(url);
  const auto parsed = expr::Template::parse(*c.url, problems);
  REQUIRE(parsed);
  auto bound = parsed->bind(open_schema({"ip", "b"}), problems);
  REQUIRE(bound);
  return make_http_protocol(c, *bound);
}

struct Asking {
  Question question;
  std::optional<http::Url> url;
  Asking(const std::string& url_template, Value ip, Value b = {}) : question("key", 0, 1) {
    url = protocol(url_template)->url_of(batch_of({{ip}, {b}}), question);
  }
};

std::string url_for(const std::string& url_template, Value ip, Value b = {}) {
  const Asking asking(url_template, ip, b);
  if (asking.url) return asking.url->text();
  return asking.question.verdict == Verdict::nothing ? "nothing" : asking.question.reason;
}

struct Answered {
  Question question;
  explicit Answered(const std::string& body, const std::vector<std::string>& paths)
      : question("key", 0, paths.size()) {
    http::Response response;
    response.body = body;
    read_json_answer(response, paths, question);
  }
  std::string text(std::size_t f) const {
    const Value& v = question.values[f];
    return v.is(Kind::string) || v.is(Kind::json) ? std::string(v.text())
                                                  : std::string(kind_name(v.kind()));
  }
};

Result<Verdict> verdict_of(int status, const std::string& body) {
  Question question("key", 0, 1);
  http::Response response;
  response.status = status;
  response.body = body;
  auto read = protocol()->read(response, {}, question);
  if (!read) return tl::unexpected(read.error());
  return question.verdict;
}

}  // namespace

TEST_CASE("Values stand in a URL as themselves, whatever they hold") {
  const char* kUrl = "http://far/x/{{ ip }}?q={{ b }}";
  CHECK(url_for(kUrl, Value::string("1.2.3.4"), Value::int64(7)) == "http://far/x/1.2.3.4?q=7");
  CHECK(url_for(kUrl, Value::string("a/../b?c#d"), Value::string("e&f=g h")) ==
        "http://far/x/a%2F..%2Fb%3Fc%23d?q=e%26f%3Dg%20h");
  CHECK(url_for(kUrl, Value::string("2001:db8::1"), Value::string("\xc3\xa4\n")) ==
        "http://far/x/2001%3Adb8%3A%3A1?q=%C3%A4%0A");
  CHECK(url_for("http://far:81/{{ ip }}", Value::string("@evil.example/")) ==
        "http://far:81/%40evil.example%2F");
}

TEST_CASE("Values that would lead elsewhere are not asked for") {
  for (const char* value : {".", ".."})
    CHECK(url_for("http://far/x/{{ ip }}/y", Value::string(value)) ==
          "the record's values make no URL that can be asked for");
  CHECK(url_for("http://far/x/{{ ip }}{{ b }}", Value::string("."), Value::string(".")) ==
        "the record's values make no URL that can be asked for");
  CHECK(url_for("http://far/x/{{ ip }}", Value::string("")) == "nothing");
  CHECK(url_for("http://far/x/{{ ip }}", Value::missing()) == "nothing");
  CHECK(url_for("http://far/x/?f=..&g={{ ip }}", Value::string("..")) == "http://far/x/?f=..&g=..");
}

TEST_CASE("Values come out of nested JSON") {
  const Answered a(
      R"( {"a": {"b": [{"c": "deep"}, 2]}, "d.e": true, "f": [1, {"g": null}],
                        "a": {"b": [{"c": "last"}, 2]}, "h": "\u00e4", "i": 1.5})",
      {"a.b.0.c", "a.b.1", "d.e", "f", "f.1.g", "f.2", "x.y", "h", "i", "a.b.x", "h.0"});
  CHECK(a.question.verdict == Verdict::found);
  CHECK(a.text(0) == "last");
  CHECK(a.question.values[1].as_int() == 2);
  CHECK(a.question.values[2].as_bool());
  CHECK(a.text(3) == R"([1,{"g":null}])");
  CHECK(a.question.values[3].is(Kind::json));
  CHECK(a.text(4) == "null");
  CHECK(a.text(5) == "missing");
  CHECK(a.text(6) == "missing");
  CHECK(a.text(7) == "\xc3\xa4");
  CHECK(a.question.values[8].as_double() == 1.5);
  CHECK(a.text(9) == "missing");
  CHECK(a.text(10) == "missing");
}

TEST_CASE("Empty answers are no entry, broken ones no answer") {
  for (const char* body : {"", " \n", "null", "{}", "[]"})
    CHECK(Answered(body, {"a"}).question.verdict == Verdict::nothing);
  for (const char* body : {"{", "nul", "{\"a\":1}x", "\"\xff\"", "OK"}) {
    const Answered a(body, {"a"});
    CHECK(a.question.verdict == Verdict::refused);
    CHECK(a.question.reason.starts_with("the answer is no JSON: "));
  }
  CHECK(Answered("0", {"a"}).question.verdict == Verdict::found);
}

TEST_CASE("Statuses mean an entry, none, a bad question or a failing service") {
  CHECK(verdict_of(200, R"({"a":1})") == Verdict::found);
  CHECK(verdict_of(204, "") == Verdict::nothing);
  CHECK(verdict_of(404, "<html>") == Verdict::nothing);
  CHECK(verdict_of(400, "no") == Verdict::refused);
  CHECK(verdict_of(410, "no") == Verdict::refused);
  for (const int status : {408, 425, 429, 500, 502, 503}) {
    const auto failed = verdict_of(status, "<html><title>Oops</title>");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().retry == Retry::backoff);
    CHECK(failed.error().message ==
          "the service at far:80 answers " + std::to_string(status) + ": a web page Oops");
  }
  for (const int status : {401, 403}) {
    const auto failed = verdict_of(status, "");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().retry == Retry::never);
    CHECK(failed.error().hint == "check the credentials and what they allow");
  }
  const auto page = verdict_of(200, "\n<!DOCTYPE html><title>Please log in</title>");
  REQUIRE_FALSE(page);
  CHECK(page.error().message ==
        "the service at far:80 answers with a web page Please log in instead of JSON");
}

TEST_CASE("A pipeline's own enrich asks over HTTP, with its headers and its login") {
  std::mutex mutex;
  std::vector<std::string> requests;
  http::TestServer server([&](http::Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request()) {
      {
        const std::lock_guard lock(mutex);
        requests.push_back(request);
      }
      peer.send(http::TestServer::response(R"({"owner":{"name":"web"}})"));
    }
  });
  Enriched e(map_of({{"kind", scalar("http")},
                     {"url", scalar(server.url("/hosts/") + "{{ ip }}")},
                     {"bearer", scalar("sesame")},
                     {"proxy", scalar("none")},
                     {"headers", map_of({{"X-Team", scalar("red")}})},
                     {"fields", map_of({{"who", scalar("owner.name")}})}}),
             open_schema({"ip"}));
  REQUIRE(e.run({Value::string("2001:db8::1"), Value::missing(), Value::string("2001:db8::1")}));
  CHECK(e.last("who", 0) == "web");
  CHECK(e.last("who", 1) == "missing");
  CHECK(e.last("who", 2) == "web");
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].starts_with("GET /hosts/2001%3Adb8%3A%3A1 HTTP/1.1\r\n"));
  for (const char* line : {"Authorization: Bearer sesame\r\n", "X-Team: red\r\n",
                           "Accept: application/json\r\n", "User-Agent: streamd/"})
    CHECK(requests[0].find(line) != std::string::npos);
}

TEST_CASE("The secret parts of a URL are in no text") {
  Enriched e(map_of({{"kind", scalar("http")},
                     {"url", scalar("http://user:hunter2@127.0.0.1:" +
                                    std::to_string(http::dead_port()) + "/hunter2/{{ ip }}")},
                     {"proxy", scalar("none")},
                     {"fields", map_of({{"who", scalar("owner")}})}}),
             open_schema({"ip"}));
  REQUIRE(e.run({Value::string("x")}));
  REQUIRE(e.out.rejected.size() == 1);
  CHECK(e.out.rejected[0].code == "no-answer");
  REQUIRE(e.log.size() == 1);
  CHECK(e.log[0].find("records that need it become dead letters") != std::string::npos);
  for (const std::string& text : {e.log[0], e.out.rejected[0].reason})
    CHECK(text.find("hunter2") == std::string::npos);
}

TEST_CASE("An answer that repeats the request instead of JSON shows no secret of it") {
  http::TestServer server([&](http::Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request())
      peer.send(http::TestServer::response("I do not know " + request));
  });
  Enriched e(map_of({{"kind", scalar("http")},
                     {"url", scalar(server.url("/{{ ip }}?key=hunter2"))},
                     {"proxy", scalar("none")},
                     {"headers", map_of({{"X-Key", scalar("sesame")}})},
                     {"fields", map_of({{"who", scalar("owner")}})}}),
             open_schema({"ip"}));
  REQUIRE(e.run({Value::string("x")}));
  REQUIRE(e.out.rejected.size() == 1);
  CHECK(e.out.rejected[0].reason.starts_with(
      "the answer is no JSON: I do not know GET /x?key=*** HTTP/1.1"));
  REQUIRE(e.log.size() == 1);
  for (const std::string& text : {e.log[0], e.out.rejected[0].reason})
    for (const char* secret : {"hunter2", "sesame"}) CHECK(text.find(secret) == std::string::npos);
}

TEST_CASE("A page of another type than HTML that repeats the request shows no secret of it") {
  Question question("key", 0, 1);
  http::Response response;
  response.body = "<title>no /x?key=hunter2 here</title>";
  response.status = 200;
  response.secrets = {"hunter2"};
  const auto read = protocol()->read(response, {}, question);
  REQUIRE_FALSE(read);
  CHECK(read.error().message ==
        "the service at far:80 answers with a web page no /x?key=*** here instead of JSON");
}
