// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/url.h"

#include "engine/io/http/headers.h"
#include "engine/io/http/proxy.h"
#include "tests/support/catch.h"

#include <map>

using namespace streamd;
using namespace streamd::http;

TEST_CASE("a URL is taken apart", "[http]") {
  const auto url = Url::parse("HTTPS://me:p%40ss@Host.Example:8443/a/./b/../c d?q=ä#frag");
  REQUIRE(url);
  CHECK(url->tls);
  CHECK(url->host == "host.example");
  CHECK(url->port == 8443);
  CHECK(url->user == "me");
  CHECK(url->password == "p@ss");
  CHECK(url->target == "/a/c%20d?q=%C3%A4");
  CHECK(url->text() == "https://host.example:8443/a/c%20d?q=%C3%A4");
  CHECK(url->authority() == "host.example:8443");
}

TEST_CASE("what a URL leaves out has its usual value", "[http]") {
  CHECK(Url::parse("http://h")->port == 80);
  CHECK(Url::parse("https://h")->port == 443);
  CHECK(Url::parse("http://h")->target == "/");
  CHECK(Url::parse("http://h?a=b")->target == "/?a=b");
  CHECK(Url::parse("http://h:80/")->authority() == "h");
  CHECK(Url::parse("http://h:/")->port == 80);
}

TEST_CASE("IPv6 hosts stand in brackets", "[http]") {
  const auto url = Url::parse("http://[2001:DB8:0:0::1]:9200/x");
  REQUIRE(url);
  CHECK(url->host == "2001:db8::1");
  CHECK(url->host_port() == "[2001:db8::1]:9200");
  CHECK(Url::parse("http://[::1]")->authority() == "[::1]");
}

TEST_CASE("what is no URL is refused without being repeated", "[http]") {
  const auto text = GENERATE(
      "", "secret", "ftp://secret/", "http:/secret", "http://", "http://:80/secret",
      "http://secret:0/", "http://secret:65536/", "http://secret:8x/", "http://[::1/secret",
      "http://[secret]/", "http://[::1]secret/", "http://se cret/", "http://secr\xC3\xA4t/",
      "http://a/secret%zz", "http://a/secret%4", "http://u:secret%@a/", "http://a/secret\r\nX: y",
      "http://a/\x01secret", "http://a b@secret host/", "//secret/x");
  const auto url = Url::parse(text);
  INFO(text);
  REQUIRE_FALSE(url);
  CHECK(url.error().kind == ErrorKind::config);
  CHECK(url.error().message.find("secret") == std::string::npos);
  CHECK_FALSE(url.error().message.empty());
}

TEST_CASE("references resolve as RFC 3986 says", "[http]") {
  const Url base = *Url::parse("http://u:p@a/b/c/d?q");
  const std::map<std::string, std::string> cases = {
      {"g", "http://a/b/c/g"},        {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},      {"/g", "http://a/g"},
      {"//g", "http://g/"},           {"?y", "http://a/b/c/d?y"},
      {"g?y", "http://a/b/c/g?y"},    {"#s", "http://a/b/c/d?q"},
      {"g#s", "http://a/b/c/g"},      {"", "http://a/b/c/d?q"},
      {".", "http://a/b/c/"},         {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},          {"../g", "http://a/b/g"},
      {"../..", "http://a/"},         {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},   {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},        {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},    {"./../g", "http://a/b/g"},
      {"g/./h", "http://a/b/c/g/h"},  {"g/../h", "http://a/b/c/h"},
      {"https://x/y", "https://x/y"}, {"g?y/../x", "http://a/b/c/g?y/../x"},
  };
  for (const auto& [reference, wanted] : cases) {
    INFO(reference);
    const auto url = join(base, reference);
    REQUIRE(url);
    CHECK(url->text() == wanted);
    CHECK(url->user == (url->host == "a" ? "u" : ""));
  }
}

TEST_CASE("a reference chooses no credentials", "[http]") {
  const Url base = *Url::parse("http://u:p@a/");
  CHECK(join(base, "http://evil:x@a/y")->user == "u");
  CHECK(join(base, "http://evil:x@b/y")->user.empty());
  CHECK(join(base, "https://a/y")->user.empty());
  CHECK_FALSE(join(base, "mailto:x@y"));
}

TEST_CASE("queries and segments are encoded", "[http]") {
  CHECK(percent_encode("a b/ä~") == "a%20b%2F%C3%A4~");
  CHECK(query({{"q", "port:22 country:DE"}, {"k", "&="}}) == "q=port%3A22%20country%3ADE&k=%26%3D");
  CHECK(with_query("/x", {{"a", "1"}}) == "/x?a=1");
  CHECK(with_query("/x?y=2", {{"a", "1"}}) == "/x?y=2&a=1");
  CHECK(with_query("/x", {}) == "/x");
  const Url es = *Url::parse("http://es:9200/prefix/?x");
  CHECK(es.below("_bulk").target == "/prefix/_bulk");
  CHECK(Url::parse("http://es")->below("/_bulk").target == "/_bulk");
  std::string out;
  CHECK(percent_decode("%41%20b", out));
  CHECK(out == "A b");
  CHECK_FALSE(percent_decode("%4", out));
}

TEST_CASE("a redacted URL shows where and nothing else", "[http]") {
  CHECK(redacted("https://u:p@h:8443/api/webhooks/1/token?k=v") == "https://h:8443/…");
  CHECK(redacted("http://h/") == "http://h/");
  CHECK(redacted("token") == "(no URL)");
}

TEST_CASE("headers are found without case", "[http]") {
  Headers headers{{"Content-Type", "a"}, {"X", "1, Two"}, {"x", "three"}};
  CHECK(headers.get("content-type") == "a");
  CHECK(headers.find("y") == nullptr);
  CHECK(headers.has_token("X", "two"));
  CHECK(headers.has_token("X", "THREE"));
  CHECK_FALSE(headers.has_token("X", "tw"));
  headers.set("x", "new");
  CHECK(headers.all().size() == 2);
  CHECK(headers.get("X") == "new");
}

TEST_CASE("Retry-After is seconds or any of HTTP's dates", "[http]") {
  const EventTime now{784'111'777'000'000};  // Sun, 06 Nov 1994 08:49:37 GMT
  CHECK(parse_retry_after("120", now) == Duration::from_seconds(120));
  CHECK(parse_retry_after("0.5", now) == Duration::from_millis(500));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now) == Duration::from_seconds(60));
  CHECK(parse_retry_after("Sunday, 06-Nov-94 08:50:37 GMT", now) == Duration::from_seconds(60));
  CHECK(parse_retry_after("Sun Nov  6 08:50:37 1994", now) == Duration::from_seconds(60));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now) == Duration{});
  for (const char* bad : {"", "soon", "-1", "1x", "nan"}) CHECK_FALSE(parse_retry_after(bad, now));
  CHECK(parse_retry_after("99999999999999999999", now) == Duration::from_seconds(1'000'000'000));
}

TEST_CASE("the environment says which proxy a request takes", "[http]") {
  std::map<std::string, std::string> set = {{"http_proxy", "http://p:3128"},
                                            {"HTTPS_PROXY", "q:8080"},
                                            {"no_proxy", "localhost, .internal,10.0.0.0/8,x:99"}};
  const auto environment = [&](const char* name) { return set[name]; };
  const auto rules = ProxyRules::make("", environment);
  REQUIRE(rules);
  const auto host_of = [&](const char* url) {
    const Url* proxy = rules->proxy_for(*Url::parse(url));
    return proxy == nullptr ? std::string("direct") : proxy->host_port();
  };
  CHECK(host_of("http://a/") == "p:3128");
  CHECK(host_of("https://a/") == "q:8080");
  CHECK(host_of("http://localhost/") == "direct");
  CHECK(host_of("http://db.internal/") == "direct");
  CHECK(host_of("http://notinternal/") == "p:3128");
  CHECK(host_of("http://10.1.2.3/") == "direct");
  CHECK(host_of("http://11.1.2.3/") == "p:3128");
  CHECK(host_of("http://x:99/") == "direct");
  CHECK(host_of("http://x/") == "p:3128");
  CHECK(ProxyRules::make("none", environment)->proxy_for(*Url::parse("http://a")) == nullptr);
  set["no_proxy"] = "*";
  CHECK(ProxyRules::make("", environment)->proxy_for(*Url::parse("http://a")) == nullptr);
  const auto bad = ProxyRules::make("socks5://user:secret@x", environment);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message.find("secret") == std::string::npos);
}
