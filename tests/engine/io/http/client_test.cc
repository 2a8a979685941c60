// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/client.h"

#include "engine/codec/gzip.h"
#include "tests/engine/io/http/test_server.h"
#include "tests/support/catch.h"

#include <atomic>
#include <chrono>
#include <thread>

using namespace streamd;
using namespace streamd::http;

namespace {

ClientOptions direct() {
  ClientOptions options;
  options.proxy = "none";
  return options;
}

struct Fixture {
  ManualClock clock{EventTime{1'700'000'000'000'000}};
  std::unique_ptr<Client> client;
  explicit Fixture(ClientOptions options = direct()) {
    auto made = Client::make(std::move(options), clock);
    REQUIRE(made);
    client = std::move(*made);
  }
  Result<Response> get(const std::string& url) { return client->send(to(url), {}); }
  static Request to(const std::string& url, std::string method = "GET", std::string body = {}) {
    Request request;
    request.method = std::move(method);
    request.url = *Url::parse(url);
    request.body = std::move(body);
    return request;
  }
};

// Answers each request of a connection with the same bytes.
TestServer::Script always(std::string bytes) {
  return [bytes](Peer& peer) {
    while (!peer.request().empty() && peer.send(bytes)) {
    }
  };
}
// Answers one request and closes.
TestServer::Script once(std::string bytes) {
  return [bytes](Peer& peer) {
    if (!peer.request().empty()) peer.send(bytes);
  };
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a response is status, headers and body", "[http]") {
  std::string seen;
  TestServer server([&](Peer& peer) {
    seen = peer.request();
    peer.send(TestServer::response("hello", "X-Thing: 7\r\n"));
  });
  Fixture f;
  const auto response = f.get(server.url("/a?b=c"));
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->ok());
  CHECK(response->body == "hello");
  CHECK(response->headers.get("x-thing") == "7");
  CHECK(seen.starts_with("GET /a?b=c HTTP/1.1\r\n"));
  CHECK(has(seen, "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
  CHECK(has(seen, "Accept-Encoding: gzip, deflate\r\n"));
}

TEST_CASE("requests share a connection that the server leaves open", "[http]") {
  TestServer server(always(TestServer::response("x")));
  Fixture f;
  for (int i = 0; i < 5; ++i) REQUIRE(f.get(server.url()));
  CHECK(f.client->connections_made() == 1);
  CHECK(server.connections() == 1);
  f.clock.advance(Duration::from_seconds(31));
  REQUIRE(f.get(server.url()));
  CHECK(f.client->connections_made() == 2);
}

TEST_CASE("chunks, trailers and interim responses are read however they are cut", "[http]") {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n";
  TestServer server([&](Peer& peer) {
    peer.request();
    peer.send_slowly(bytes);
    peer.request();
    peer.send(bytes);
    peer.wait_for_close();
  });
  Fixture f;
  for (int i = 0; i < 2; ++i) {
    const auto response = f.get(server.url());
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->body == "hello world");
    CHECK_FALSE(response->headers.has("X-Trailer"));
    CHECK_FALSE(response->headers.has("Link"));
  }
  CHECK(f.client->connections_made() == 1);
}

TEST_CASE("a body without a length ends with the connection", "[http]") {
  TestServer server(once("HTTP/1.1 200 OK\r\n\r\nall of it"));
  Fixture f;
  const auto response = f.get(server.url());
  REQUIRE(response);
  CHECK(response->body == "all of it");
}

TEST_CASE("what is broken on the way is named with its place and may heal", "[http]") {
  struct Case {
    const char* bytes;
    const char* says;
  };
  const auto c = GENERATE(
      Case{"", "the connection was closed without an answer"},
      Case{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "closed in the middle"},
      Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "closed in the middle"},
      Case{"HTTP/1.1 200 OK\r\nContent-Le", "closed in the middle"},
      Case{"SSH-2.0-OpenSSH_9.2\r\n", "no valid HTTP"},
      Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no valid HTTP"},
      Case{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "no valid HTTP"},
      Case{"HTTP/1.1 101 Switching\r\n\r\n", "another protocol"},
      Case{"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
           "not asked for"},
      Case{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
           "compression is broken"});
  TestServer server(once(c.bytes));
  Fixture f;
  const auto response = f.get(server.url("/secret-path?key=secret-key"));
  REQUIRE_FALSE(response);
  INFO(response.error().message);
  CHECK(has(response.error().message, c.says));
  CHECK(has(response.error().message, "GET 127.0.0.1:" + std::to_string(server.port())));
  CHECK_FALSE(has(response.error().message + response.error().hint, "secret"));
  CHECK(response.error().retry == Retry::backoff);
  CHECK(response.error().kind == ErrorKind::external);
}

TEST_CASE("a request is called what its caller calls it", "[http]") {
  Fixture f;
  auto request = Fixture::to("http://127.0.0.1:" + std::to_string(dead_port()) + "/x");
  request.shown_as = "webhook \"alerts\"";
  const auto response = f.client->send(request, {});
  REQUIRE_FALSE(response);
  CHECK(response.error().message.starts_with("webhook \"alerts\" 127.0.0.1:"));
  CHECK(has(response.error().message, "connection refused"));
  CHECK(response.error().retry == Retry::backoff);
}

TEST_CASE("a response that is too large is given up for good", "[http]") {
  const auto bytes = GENERATE(
      std::string("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n") + std::string(5000, 'x'),
      std::string("HTTP/1.1 200 OK\r\n\r\n") + std::string(5000, 'x'), [] {
        std::string packed;
        append_gzip(std::string(5000, 'x'), 6, packed);
        return TestServer::response(packed, "Content-Encoding: gzip\r\n");
      }());
  TestServer server(once(bytes));
  Fixture f;
  auto request = Fixture::to(server.url());
  request.max_response = 4999;
  const auto small = f.client->send(request, {});
  REQUIRE_FALSE(small);
  CHECK(has(small.error().message, "larger than"));
  CHECK(small.error().retry == Retry::never);
  request.max_response = 5000;
  const auto fits = f.client->send(request, {});
  REQUIRE(fits);
  CHECK(fits->body.size() == 5000);
}

TEST_CASE("headers without end are given up", "[http]") {
  TestServer server(once("HTTP/1.1 200 OK\r\nX: " + std::string(300'000, 'x')));
  Fixture f;
  const auto response = f.get(server.url());
  REQUIRE_FALSE(response);
  CHECK(has(response.error().message, "headers are larger"));
  CHECK(response.error().retry == Retry::never);
}

TEST_CASE("gzip goes both ways and deflate comes in both shapes", "[http]") {
  std::string seen;
  std::string packed;
  const std::string text(200'000, 'y');
  append_gzip(text, 6, packed);
  TestServer server([&](Peer& peer) {
    seen = peer.request();
    peer.send(TestServer::response(packed, "Content-Encoding: gzip\r\n"));
    peer.request();
    // zlib's and the bare form of "hello"
    peer.send(TestServer::response(
        std::string("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", 13),
        "Content-Encoding: deflate\r\n"));
    peer.request();
    peer.send(TestServer::response(std::string("\xcb\x48\xcd\xc9\xc9\x07\x00", 7),
                                   "Content-Encoding: deflate\r\n"));
  });
  Fixture f;
  auto request = Fixture::to(server.url(), "POST", text);
  request.gzip_body = true;
  const auto response = f.client->send(request, {});
  REQUIRE(response);
  CHECK(response->body == text);
  CHECK_FALSE(response->headers.has("Content-Encoding"));
  CHECK(has(seen, "Content-Encoding: gzip\r\n"));
  CHECK(looks_like_gzip(seen.data() + seen.find("\r\n\r\n") + 4, 3));
  CHECK(f.get(server.url())->body == "hello");
  CHECK(f.get(server.url())->body == "hello");
}

TEST_CASE("HEAD, 204 and 304 have no body", "[http]") {
  TestServer server([](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n");
    peer.request();
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    peer.request();
    peer.send("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
    peer.wait_for_close();
  });
  Fixture f;
  const auto head = f.client->send(Fixture::to(server.url(), "HEAD"), {});
  REQUIRE(head);
  CHECK(head->body.empty());
  CHECK(f.get(server.url())->status == 204);
  CHECK(f.get(server.url())->headers.get("etag") == "\"x\"");
  CHECK(f.client->connections_made() == 1);
}

TEST_CASE("Retry-After comes as seconds or as a date", "[http]") {
  TestServer server([](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    peer.request();
    peer.send(
        "HTTP/1.1 503 Away\r\nRetry-After: Tue, 14 Nov 2023 22:14:20 GMT\r\nContent-Length: "
        "0\r\n\r\n");
    peer.request();
    peer.send("HTTP/1.1 503 Away\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n");
  });
  Fixture f;
  const auto seconds = f.get(server.url());
  REQUIRE(seconds);
  CHECK(seconds->status == 429);
  CHECK(seconds->retry_after == Duration::from_seconds(7));
  CHECK(f.get(server.url())->retry_after == Duration::from_seconds(60));
  CHECK_FALSE(f.get(server.url())->retry_after);
}

TEST_CASE("a connection of the pool that the server closed is replaced", "[http]") {
  // Closes after the first answer and lets the client find out by itself.
  TestServer server([](Peer& peer) {
    peer.request();
    peer.send(TestServer::response("x"));
    if (peer.number > 0) return;
    peer.request();
    peer.reset();
  });
  Fixture f;
  REQUIRE(f.get(server.url()));
  SECTION("when the request may be sent twice") {
    CHECK(f.get(server.url()));
    CHECK(f.client->connections_made() == 2);
  }
  SECTION("but not when the request may have been carried out") {
    const auto response = f.client->send(Fixture::to(server.url(), "POST", "x"), {});
    REQUIRE_FALSE(response);
    CHECK(has(response.error().message, "closed"));
    CHECK(f.client->connections_made() == 1);
  }
  SECTION("unless the caller says that twice is no harm") {
    auto request = Fixture::to(server.url(), "POST", "x");
    request.idempotent = true;
    CHECK(f.client->send(request, {}));
  }
}

TEST_CASE("an answer before the end of the request is an answer", "[http]") {
  TestServer server([](Peer& peer) {
    peer.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  Fixture f;
  const auto response =
      f.client->send(Fixture::to(server.url(), "POST", std::string(20'000, 'x')), {});
  REQUIRE(response);
  CHECK(response->status == 413);
}

TEST_CASE("a request that would break out of its lines is not sent", "[http]") {
  Fixture f;
  auto request = Fixture::to("http://127.0.0.1:1/");
  SECTION("header value") { request.headers.add("X", "a\r\nX-Evil: 1"); }
  SECTION("header name") { request.headers.add("X: y\r\nZ", "a"); }
  SECTION("method") { request.method = "GET / HTTP/1.1\r\nX: y"; }
  SECTION("path") { request.url.target = "/a b\r\nX: y"; }
  SECTION("a header that is ours") { request.headers.add("content-length", "5"); }
  const auto response = f.client->send(request, {});
  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::config);
  CHECK(response.error().retry == Retry::never);
  CHECK(f.client->connections_made() == 0);
}

TEST_CASE("many threads share few connections", "[http]") {
  TestServer server(always(TestServer::response("x")));
  auto options = direct();
  options.connections_per_host = 2;
  Fixture f(options);
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i)
          if (f.get(server.url())) ++good;
      });
  }
  CHECK(good == 120);
  CHECK(f.client->connections_made() <= 2);
}
