// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/broker_link.h"

#include "tests/engine/io/kafka/made_batch.h"
#include "tests/support/catch.h"

#include <sys/socket.h>
#include <thread>

using namespace streamd;
using namespace streamd::kafka;
using namespace streamd::test;

namespace {

const Duration kLimit = Duration::from_seconds(20);

// A broker that says what the test wants: its versions first.
class Peer {
 public:
  explicit Peer(std::string versions) {
    net::Endpoint local;
    local.transport = net::Transport::tcp;
    local.host = "127.0.0.1";
    auto listener = net::listen_at(local, {});
    REQUIRE(listener);
    listener_ = std::move(*listener);
    thread_ = std::jthread([this, versions = std::move(versions)] {
      if (!net::wait_for(listener_, false, kLimit, {})) return;
      there_ = net::Socket(::accept(listener_.descriptor(), nullptr, nullptr));
      char request[64];
      if (::recv(there_.descriptor(), request, 21, MSG_WAITALL) == 21 && !versions.empty())
        ::send(there_.descriptor(), versions.data(), versions.size(), MSG_NOSIGNAL);
      if (versions.empty()) there_.close();
    });
  }
  Result<std::unique_ptr<BrokerLink>> link(Duration limit = kLimit) {
    auto made = BrokerLink::connect(4, "127.0.0.1", net::port_of(listener_), limit, {});
    thread_.join();
    return made;
  }
  void say(std::string_view bytes) {
    REQUIRE(::send(there_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() { there_.close(); }

 private:
  net::Socket listener_, there_;
  std::jthread thread_;
};

std::string message(const std::string& body) {
  std::string out;
  put(out, static_cast<std::int32_t>(body.size()));
  return out + body;
}

std::string versions(std::int16_t newest) {
  std::string out;
  put(out, std::int32_t{1});
  put(out, std::int16_t{0});
  put(out, std::int32_t{1});
  for (const std::int16_t n : {std::int16_t{1}, std::int16_t{0}, newest}) put(out, n);
  return message(out);
}

std::string empty_answer(std::int32_t correlation) {
  std::string out;
  put(out, correlation);
  put(out, std::int32_t{0});
  put(out, std::int32_t{0});
  return message(out);
}

Status served(BrokerLink& link, bool until_answered, Duration now = {}) {
  Status good;
  while ((good = link.serve(now)) && until_answered && link.waiting()) std::this_thread::yield();
  return good;
}

}  // namespace

TEST_CASE("an answer comes in any pieces, and then the next one", "[kafka]") {
  Peer peer(versions(4));
  auto link = peer.link();
  REQUIRE(link);
  CHECK((*link)->broker() == 4);
  CHECK_FALSE((*link)->waiting());
  for (std::int32_t n = 2; n < 5; ++n) {
    (*link)->ask({}, {{"t", 0, 0}}, {});
    CHECK((*link)->waiting());
    CHECK(served(**link, false));
    CHECK((*link)->waiting());
    for (const char c : empty_answer(n)) {
      CHECK((*link)->waiting());
      peer.say({&c, 1});
      if (n == 3) CHECK(served(**link, false));
    }
    CHECK(served(**link, true));
    CHECK((*link)->answer().correlation() == n);
  }
}

TEST_CASE("a broker that does not take our requests is told from one that is not there",
          "[kafka]") {
  Peer old(versions(3));
  const auto refused = old.link();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retry == Retry::never);

  Peer gone("");
  const auto closed = gone.link();
  REQUIRE_FALSE(closed);
  CHECK(closed.error().retry == Retry::backoff);
  CHECK(closed.error().message.find("broker 127.0.0.1:") == 0);
}

TEST_CASE("a connection on which anything goes wrong is of no use", "[kafka]") {
  Peer peer(versions(17));
  auto link = peer.link();
  REQUIRE(link);
  (*link)->ask({}, {{"t", 0, 0}}, {});
  const auto fails_with = [&](const char* what) {
    const auto status = served(**link, true);
    REQUIRE_FALSE(status);
    CHECK(status.error().retry == Retry::backoff);
    CHECK(status.error().message.find(what) != std::string::npos);
  };
  SECTION("closed") {
    peer.hang_up();
    fails_with("closed the connection");
  }
  SECTION("closed in the middle of an answer") {
    peer.say(empty_answer(2).substr(0, 9));
    peer.hang_up();
    fails_with("closed the connection");
  }
  SECTION("somebody else's answer") {
    peer.say(empty_answer(3));
    fails_with("something else");
  }
  SECTION("a length that no answer has") {
    std::string length;
    put(length, GENERATE(std::int32_t{-1}, std::int32_t{0}, std::int32_t{100'000'001}));
    peer.say(length);
    fails_with("impossible length");
  }
}

TEST_CASE("a broker that has gone quiet is given up after half a minute", "[kafka]") {
  Peer peer(versions(4));
  auto link = peer.link();
  REQUIRE(link);
  const auto at = [](int seconds) { return Duration::from_seconds(seconds); };
  (*link)->ask({}, {{"t", 0, 0}}, at(100));
  CHECK(served(**link, false, at(130)));
  const auto quiet = served(**link, false, at(131));
  REQUIRE_FALSE(quiet);
  CHECK(quiet.error().message.find("does not answer") != std::string::npos);
}
