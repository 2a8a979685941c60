// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/client.h"
#include "tests/engine/io/http/test_server.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <mutex>

using namespace streamd;
using namespace streamd::http;

namespace {

// Redirects /from/STATUS to `location`, answers everything else, and keeps what was asked.
struct Redirector {
  std::string location;
  std::mutex mutex;
  std::vector<std::string> asked;
  TestServer server{[this](Peer& peer) {
    for (std::string request; !(request = peer.request()).empty();) {
      std::string to;
      {
        const std::lock_guard lock(mutex);
        asked.push_back(request);
        to = location;
      }
      const std::size_t at = request.find(" /from/");
      if (at == std::string::npos) {
        peer.send(TestServer::response("arrived"));
      } else {
        peer.send(fmt::format("HTTP/1.1 {} Moved\r\nLocation: {}\r\nContent-Length: 4\r\n\r\ngone",
                              request.substr(at + 7, 3), to));
      }
    }
  }};
};

struct Fixture {
  ManualClock clock;
  std::unique_ptr<Client> client;
  Fixture() {
    ClientOptions options;
    options.proxy = "none";
    client = std::move(*Client::make(options, clock));
  }
  Result<Response> send(const std::string& url, std::string method = "GET", std::string body = {}) {
    Request request;
    request.method = std::move(method);
    request.url = *Url::parse(url);
    request.headers = {{"X-Api-Key", "secret"}, {"Accept", "text/plain"}};
    request.body = std::move(body);
    return client->send(request, {});
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("GET follows every redirect on the same connection", "[http]") {
  const auto status = GENERATE("301", "302", "303", "307", "308");
  Redirector r;
  r.location = "/there?x=1";
  Fixture f;
  const auto response = f.send(r.server.url(std::string("/from/") + status));
  REQUIRE(response);
  CHECK(response->body == "arrived");
  CHECK(response->url.target == "/there?x=1");
  CHECK(has(r.asked.at(1), "X-Api-Key: secret"));
  CHECK(f.client->connections_made() == 1);
}

TEST_CASE("POST follows only 303, as GET without a body", "[http]") {
  Redirector r;
  r.location = "/there";
  Fixture f;
  const auto see_other = f.send(r.server.url("/from/303"), "POST", "body");
  REQUIRE(see_other);
  CHECK(see_other->body == "arrived");
  CHECK(r.asked.at(1).starts_with("GET /there HTTP/1.1"));
  CHECK_FALSE(has(r.asked.at(1), "Content-Length"));
  const auto moved = f.send(r.server.url("/from/307"), "POST", "body");
  REQUIRE(moved);
  CHECK(moved->status == 307);
  CHECK(moved->body == "gone");
}

TEST_CASE("another origin gets neither credentials nor headers of ours", "[http]") {
  Redirector other;
  Redirector r;
  r.location = other.server.url("/there");
  Fixture f;
  const auto url = fmt::format("http://me:secret@127.0.0.1:{}/from/302", r.server.port());
  const auto response = f.send(url);
  REQUIRE(response);
  CHECK(has(r.asked.at(0), "Authorization: Basic bWU6c2VjcmV0\r\n"));
  CHECK(has(r.asked.at(0), "X-Api-Key: secret"));
  CHECK_FALSE(has(other.asked.at(0), "Authorization"));
  CHECK_FALSE(has(other.asked.at(0), "secret"));
  CHECK(has(other.asked.at(0), "Accept: text/plain"));
  CHECK_FALSE(response->url.has_credentials());
}

TEST_CASE("redirects that go round end", "[http]") {
  Redirector r;
  r.location = "/from/302";
  Fixture f;
  const auto response = f.send(r.server.url("/from/302"));
  REQUIRE_FALSE(response);
  CHECK(has(response.error().message, "redirects more than 5 times"));
  CHECK(response.error().retry == Retry::never);
}

TEST_CASE("a redirect to no URL is an error that does not repeat it", "[http]") {
  Redirector r;
  r.location = "ftp://secret/x";
  Fixture f;
  const auto response = f.send(r.server.url("/from/302"));
  REQUIRE_FALSE(response);
  CHECK(has(response.error().message, "no usable URL"));
  CHECK_FALSE(has(response.error().message, "secret"));
}

TEST_CASE("a redirect is the response when the caller wants it so", "[http]") {
  Redirector r;
  r.location = "/there";
  Fixture f;
  Request request;
  request.url = *Url::parse(r.server.url("/from/302"));
  request.follow_redirects = false;
  const auto response = f.client->send(request, {});
  REQUIRE(response);
  CHECK(response->status == 302);
  CHECK(response->headers.get("Location") == "/there");
}
