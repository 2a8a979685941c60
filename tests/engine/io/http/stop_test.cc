// SPDX-License-Identifier: Apache-2.0
// Waiting: time-outs, stops, names, several addresses, and streams that do not end.
#include "engine/codec/gzip.h"
#include "engine/io/http/client.h"
#include "tests/engine/io/http/test_server.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

using namespace streamd;
using namespace streamd::http;

namespace {

// A gate that a script or a look-up waits at. Whoever has to wait for the waiting one in turn opens
// it with an Opener behind it.
class Gate {
 public:
  struct Opener {
    Gate& gate;
    ~Opener() { gate.open(); }
  };
  ~Gate() { open(); }
  void open() {
    const std::lock_guard lock(state_->mutex);
    state_->is_open = true;
    state_->changed.notify_all();
  }
  // Copies wait at the same gate, also after its end.
  auto waiter() const {
    return [state = state_] {
      std::unique_lock lock(state->mutex);
      state->changed.wait(lock, [&] { return state->is_open; });
    };
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_open = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

ClientOptions direct() {
  ClientOptions options;
  options.proxy = "none";
  return options;
}

std::unique_ptr<Client> client_of(ClientOptions options) {
  static const SystemClock clock;
  return std::move(*Client::make(std::move(options), clock));
}

Request to(const std::string& url) {
  Request request;
  request.url = *Url::parse(url);
  return request;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Sends, stops when `reached` is ready, and expects an end that is far nearer than the time-out.
void expect_stop(Client& client, const Request& request, std::future<void> reached) {
  std::stop_source source;
  auto result =
      std::async(std::launch::async, [&] { return client.send(request, source.get_token()); });
  REQUIRE(reached.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  source.request_stop();
  REQUIRE(result.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  const auto response = result.get();
  REQUIRE_FALSE(response);
  CHECK(response.error().message == "stopped");
}

}  // namespace

TEST_CASE("a stop ends the wait for an answer", "[http]") {
  std::promise<void> asked;
  TestServer server([&](Peer& peer) {
    peer.request();
    asked.set_value();
    peer.wait_for_close();
  });
  auto options = direct();
  options.timeout = Duration::from_seconds(300);
  const auto client = client_of(options);
  expect_stop(*client, to(server.url()), asked.get_future());
}

TEST_CASE("a stop ends a TLS handshake that nobody answers", "[http]") {
  std::promise<void> greeted;
  TestServer server([&](Peer& peer) {
    greeted.set_value();
    peer.wait_for_close();
  });
  auto options = direct();
  options.timeout = options.connect_timeout = Duration::from_seconds(300);
  const auto client = client_of(options);
  expect_stop(*client, to(fmt::format("https://127.0.0.1:{}/", server.port())),
              greeted.get_future());
}

TEST_CASE("a stop ends a look-up that hangs, and nobody waits for it", "[http]") {
  Gate gate;
  const auto begun = std::make_shared<std::promise<void>>();
  auto options = direct();
  options.timeout = options.connect_timeout = Duration::from_seconds(300);
  options.resolve = [begun,
                     wait = gate.waiter()](const std::string&) -> Result<std::vector<std::string>> {
    begun->set_value();
    wait();
    return std::vector<std::string>{"127.0.0.1"};
  };
  {
    const auto client = client_of(options);
    expect_stop(*client, to("http://hangs.example/"), begun->get_future());
  }
  SUCCEED("the client is gone while the look-up still hangs");
}

TEST_CASE("a stop ends the wait for a connection of the pool", "[http]") {
  std::promise<void> asked;
  TestServer server([&](Peer& peer) {
    if (peer.request().empty()) return;
    asked.set_value();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.wait_for_close();
  });
  auto options = direct();
  options.connections_per_host = 1;
  options.timeout = Duration::from_seconds(300);
  const auto client = client_of(options);
  const auto holder = client->open(to(server.url()), {});
  REQUIRE(holder);
  expect_stop(*client, to(server.url()), asked.get_future());
}

TEST_CASE("a server that says nothing runs into the time-out", "[http]") {
  TestServer server([](Peer& peer) { peer.wait_for_close(); });
  const auto client = client_of(direct());
  auto request = to(server.url());
  request.timeout = Duration::from_millis(50);
  const auto response = client->send(request, {});
  REQUIRE_FALSE(response);
  CHECK(has(response.error().message, "no answer in time"));
  CHECK(has(response.error().hint, "timeout"));
  CHECK(response.error().retry == Retry::backoff);
}

TEST_CASE("a drop at a time does not outwit the time-out", "[http]") {
  std::atomic<bool> over{false};
  TestServer server([&](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (!over && peer.send("1\r\nx\r\n")) std::this_thread::yield();
  });
  const auto client = client_of(direct());
  auto request = to(server.url());
  request.timeout = Duration::from_millis(100);
  request.max_response = std::uint64_t{1} << 40;
  const auto response = client->send(request, {});
  over = true;
  REQUIRE_FALSE(response);
  CHECK(has(response.error().message, "no answer in time"));
}

TEST_CASE("an unknown name is an error that may heal and tells what to check", "[http]") {
  auto options = direct();
  options.resolve = [](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{};
  };
  const auto client = client_of(options);
  const auto response = client->send(to("http://nowhere.example/"), {});
  REQUIRE_FALSE(response);
  CHECK(response.error().message == "GET nowhere.example:80: the host name is unknown");
  CHECK(has(response.error().hint, "spelling"));
  CHECK(response.error().retry == Retry::backoff);
}

TEST_CASE("the addresses of a host are tried in turn", "[http]") {
  TestServer server([](Peer& peer) {
    peer.request();
    peer.send(TestServer::response("x"));
  });
  auto options = direct();
  options.resolve = [](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"127.0.0.2", "::1", "127.0.0.1"};
  };
  const auto client = client_of(options);
  CHECK(client->send(to(fmt::format("http://several.example:{}/", server.port())), {}));
}

TEST_CASE("a host with nothing but IPv6 is reached", "[http]") {
  std::string seen;
  TestServer server(
      [&](Peer& peer) {
        seen = peer.request();
        peer.send(TestServer::response("six"));
      },
      AF_INET6);
  const auto client = client_of(direct());
  const auto response = client->send(to(fmt::format("http://[::1]:{}/", server.port())), {});
  REQUIRE(response);
  CHECK(response->body == "six");
  CHECK(has(seen, fmt::format("Host: [::1]:{}\r\n", server.port())));
}

TEST_CASE("a stream hands out what comes and goes on after silence", "[http]") {
  Gate gate;
  TestServer server([wait = gate.waiter()](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    wait();
    peer.send("3\r\ntwo\r\n0\r\n\r\n");
    peer.wait_for_close();
  });
  const Gate::Opener at_the_end{gate};
  const auto client = client_of(direct());
  const auto stream = client->open(to(server.url()), {});
  REQUIRE(stream);
  CHECK((*stream)->status() == 200);
  std::string buffer(100, '\0');
  const auto far = Duration::from_seconds(60);
  auto piece = (*stream)->read(buffer.data(), 2, far);
  REQUIRE(piece);
  CHECK(buffer.substr(0, piece->bytes) == "on");
  piece = (*stream)->read(buffer.data(), 100, far);
  CHECK(buffer.substr(0, piece->bytes) == "e");
  piece = (*stream)->read(buffer.data(), 100, Duration::from_millis(1));
  REQUIRE(piece);
  CHECK(piece->bytes == 0);
  CHECK_FALSE(piece->end);
  gate.open();
  piece = (*stream)->read(buffer.data(), 100, far);
  REQUIRE(piece);
  CHECK(buffer.substr(0, piece->bytes) == "two");
  piece = (*stream)->read(buffer.data(), 100, far);
  REQUIRE(piece);
  CHECK(piece->end);
}

TEST_CASE("a stream that breaks off says so, and one that is stopped ends at once", "[http]") {
  TestServer server([](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    if (peer.number > 0) peer.wait_for_close();
  });
  auto client = client_of(direct());
  std::string buffer(100, '\0');
  const auto far = Duration::from_seconds(300);
  const auto cut = client->open(to(server.url()), {});
  REQUIRE(cut);
  CHECK((*cut)->read(buffer.data(), 100, far)->bytes == 3);
  const auto end = (*cut)->read(buffer.data(), 100, far);
  REQUIRE_FALSE(end);
  CHECK(has(end.error().message, "closed in the middle"));
  CHECK(end.error().retry == Retry::backoff);

  std::stop_source source;
  const auto stopped = client->open(to(server.url()), source.get_token());
  REQUIRE(stopped);
  client.reset();
  CHECK((*stopped)->read(buffer.data(), 100, far)->bytes == 3);
  std::promise<void> begun;
  auto reading = std::async(std::launch::async, [&] {
    begun.set_value();
    return (*stopped)->read(buffer.data(), 100, far);
  });
  begun.get_future().wait();
  source.request_stop();
  REQUIRE(reading.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  const auto result = reading.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "stopped");
}

TEST_CASE("a compressed stream is handed out as it comes", "[http]") {
  std::string packed;
  append_gzip("first line\n", 6, packed);
  TestServer server([&packed](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.send(fmt::format("{:x}\r\n{}\r\n", packed.size(), packed));
    peer.wait_for_close();
  });
  const auto client = client_of(direct());
  const auto stream = client->open(to(server.url()), {});
  REQUIRE(stream);
  std::string buffer(100, '\0');
  const auto piece = (*stream)->read(buffer.data(), 100, Duration::from_seconds(60));
  REQUIRE(piece);
  CHECK(buffer.substr(0, piece->bytes) == "first line\n");
}

TEST_CASE("the text of a refusal can be read from a stream", "[http]") {
  TestServer server([](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 12\r\n\r\n{\"error\": 1}");
    peer.wait_for_close();
  });
  const auto client = client_of(direct());
  const auto stream = client->open(to(server.url()), {});
  REQUIRE(stream);
  CHECK((*stream)->status() == 429);
  CHECK((*stream)->retry_after() == Duration::from_seconds(3));
  CHECK((*stream)->rest(100, Duration::from_seconds(60)) == "{\"error\": 1}");
}

TEST_CASE("a proxy gets the whole URL, its login, and tunnels for TLS", "[http]") {
  std::string seen;
  const auto answer =
      GENERATE(std::string("407 Login"), std::string("403 No"), std::string("200 OK"));
  TestServer proxy([&](Peer& peer) {
    seen = peer.request();
    peer.send("HTTP/1.1 " + answer + "\r\nContent-Length: 0\r\n\r\n");
  });
  ClientOptions options;
  options.proxy = fmt::format("http://me:pass@127.0.0.1:{}", proxy.port());
  const auto client = client_of(options);
  const auto plain = client->send(to("http://origin.example/a?b"), {});
  REQUIRE(plain);
  CHECK(seen.starts_with("GET http://origin.example/a?b HTTP/1.1\r\nHost: origin.example\r\n"));
  CHECK(has(seen, "Proxy-Authorization: Basic bWU6cGFzcw==\r\n"));
  const auto tls = client->send(to("https://origin.example/a"), {});
  CHECK(seen.starts_with("CONNECT origin.example:443 HTTP/1.1\r\n"));
  CHECK(has(seen, "Proxy-Authorization: Basic bWU6cGFzcw==\r\n"));
  REQUIRE_FALSE(tls);
  INFO(tls.error().message);
  if (answer[0] == '4') {
    CHECK(has(tls.error().message, fmt::format("proxy 127.0.0.1:{}: it ", proxy.port())));
    CHECK(has(tls.error().message, answer.substr(0, 3)));
    CHECK(tls.error().retry == Retry::never);
  } else {
    CHECK(has(tls.error().message, "closed during the TLS handshake"));
  }
  CHECK_FALSE(has(tls.error().message + tls.error().hint, "pass@"));
}
