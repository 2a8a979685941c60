// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/config.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

struct Config : http::HttpConfig {
  http::Url url;
};

Spec<Config> spec_of(http::Login login = http::Login::basic_or_bearer) {
  Spec<Config> spec("thing");
  spec.field(&Config::url, {.name = "url", .help = "Where.", .required = true, .secret = true});
  http::with_http_fields(spec, login);
  return spec;
}

ConfigNode text(std::string value) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(value);
  node.place = {0, 4, 7, 1};
  return node;
}
ConfigNode map(std::vector<std::pair<std::string, ConfigNode>> entries) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  node.place = {0, 4, 7, 1};
  for (auto& [key, value] : entries) node.entries.emplace_back(text(key), value);
  return node;
}

}  // namespace

TEST_CASE("shared options are read where a component's own are", "[http]") {
  Diagnostics problems;
  const auto config =
      spec_of().parse(map({{"url", text("https://u:p@es:9200/x")},
                           {"tls", map({{"ca", text("/ca.pem")}, {"insecure", text("true")}})},
                           {"basic", map({{"user", text("me")}, {"password", text("pass")}})},
                           {"headers", map({{"X-Scope", text("a")}})},
                           {"proxy", text("none")},
                           {"timeout", text("1m")}}),
                      problems);
  REQUIRE(config);
  CHECK(config->url.host == "es");
  const auto options = options_of(*config);
  CHECK(options.ca_file == "/ca.pem");
  CHECK(options.insecure_skip_verify);
  CHECK(options.proxy == "none");
  CHECK(options.timeout == Duration::from_seconds(60));
  http::Request request;
  authorize(*config, request);
  CHECK(request.headers.get("Authorization") == "Basic bWU6cGFzcw==");
  CHECK(request.headers.get("X-Scope") == "a");
}

TEST_CASE("a token is sent as Bearer and an own login stays", "[http]") {
  http::HttpConfig config;
  config.bearer = "token";
  http::Request request;
  authorize(config, request);
  CHECK(request.headers.get("Authorization") == "Bearer token");
  request.headers.set("Authorization", "ApiKey x");
  authorize(config, request);
  CHECK(request.headers.get("Authorization") == "ApiKey x");
}

TEST_CASE("every wrong option has its place and repeats no secret", "[http]") {
  Diagnostics problems;
  CHECK_FALSE(spec_of().parse(
      map({{"url", text("hunter2://x")},
           {"headers", map({{"X Y", text("a")}, {"Z", text("hunter2\n")}, {"host", text("x")}})},
           {"basic", map({{"user", text("a:b")}, {"password", text("hunter2")}})},
           {"timeout", text("soon")}}),
      problems));
  CHECK(problems.errors() == 6);
  for (const auto& problem : problems.all()) {
    CHECK(problem.place.line == 4);
    CHECK(problem.message.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("what excludes each other is told", "[http]") {
  Diagnostics problems;
  CHECK_FALSE(spec_of().parse(map({{"url", text("http://x")},
                                   {"bearer", text("t")},
                                   {"basic", map({{"user", text("a")}, {"password", text("b")}})},
                                   {"tls", map({{"cert", text("c.pem")}})},
                                   {"timeout", text("0s")}}),
                              problems));
  CHECK(problems.errors() == 3);
}

TEST_CASE("a component with a login of its own has no other", "[http]") {
  Diagnostics problems;
  CHECK_FALSE(spec_of(http::Login::own)
                  .parse(map({{"url", text("http://x")}, {"bearer", text("t")}}), problems));
  CHECK(problems.all().at(0).code == "unknown-key");
}

TEST_CASE("a token that would break out of its line is refused", "[http]") {
  for (const char* token : {"hunter2\n", "a\r\nX-Evil: b", "a\x01"}) {
    Diagnostics problems;
    CHECK_FALSE(
        spec_of().parse(map({{"url", text("http://x")}, {"bearer", text(token)}}), problems));
    REQUIRE(problems.errors() == 1);
    CHECK(problems.all()[0].message.find("bearer must be text without line ends") !=
          std::string::npos);
  }
}
