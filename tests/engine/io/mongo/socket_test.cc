// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/socket.h"

#include "tests/support/catch.h"

#include <cerrno>
#include <netinet/in.h>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace streamd::mongo {
namespace {

constexpr std::int32_t kLong = 600'000;

// Listens on a port of the kernel's choice; the kernel itself takes connections.
struct Listener {
  Listener() : fd(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd, generic, sizeof address) == 0);
    REQUIRE(::listen(fd, 8) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd, generic, &size) == 0);
    port = ntohs(address.sin_port);
  }
  ~Listener() {
    ::close(fd);
    ::close(stop_fd);
  }
  Socket connected() {
    auto socket = Socket::connect("127.0.0.1", port, stop_fd, Deadline(kLong));
    REQUIRE(socket);
    peer = ::accept(fd, nullptr, nullptr);
    REQUIRE(peer >= 0);
    return std::move(*socket);
  }
  void stop() const {
    const std::uint64_t one = 1;
    REQUIRE(::write(stop_fd, &one, sizeof one) == sizeof one);
  }
  int fd, peer = -1;
  int stop_fd = ::eventfd(0, EFD_NONBLOCK);
  std::uint16_t port = 0;
};

TEST_CASE("Bytes pass in both directions, and the end is told") {
  Listener listener;
  Socket socket = listener.connected();
  CHECK(socket.write("ping", 4, Deadline(kLong)) == 4);
  char bytes[8];
  CHECK(::read(listener.peer, bytes, sizeof bytes) == 4);
  CHECK(::write(listener.peer, "pong!", 5) == 5);
  CHECK(socket.read(bytes, sizeof bytes, Deadline(kLong)) == 5);
  CHECK_FALSE(socket.closed_by_peer());
  ::close(listener.peer);
  CHECK(socket.read(bytes, sizeof bytes, Deadline(kLong)) == 0);
  CHECK(socket.closed_by_peer());
}

TEST_CASE("A wait ends at its deadline") {
  Listener listener;
  Socket socket = listener.connected();
  char byte = 0;
  CHECK(socket.read(&byte, 1, Deadline(0)) == -1);
  CHECK(errno == EAGAIN);
  CHECK(socket.read(&byte, 1, Deadline(1)) == -1);
  CHECK(errno == ETIMEDOUT);
  ::close(listener.peer);
}

TEST_CASE("A stop ends a wait that has begun, and every later one") {
  Listener listener;
  Socket socket = listener.connected();
  char byte = 0;
  ssize_t got = 0;
  int error = 0;
  std::thread reader([&] {
    got = socket.read(&byte, 1, Deadline(-1));
    error = errno;
  });
  listener.stop();
  reader.join();
  CHECK(got == -1);
  CHECK(error == ECONNABORTED);
  CHECK(socket.read(&byte, 1, Deadline(-1)) == -1);
  const std::string much(1 << 20, 'x');
  ssize_t sent = 0;
  while (sent >= 0) sent = socket.write(much.data(), much.size(), Deadline(-1));
  CHECK(errno == ECONNABORTED);
  ::close(listener.peer);
}

TEST_CASE("Nobody there, no such name and no such path are told by name") {
  const int stop_fd = ::eventfd(0, EFD_NONBLOCK);
  const auto refused = Socket::connect("127.0.0.1", 1, stop_fd, Deadline(kLong));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "no connection to 127.0.0.1:1: Connection refused");
  CHECK(refused.error().retry == Retry::backoff);
  const auto unknown = Socket::connect("no such.invalid", 1, stop_fd, Deadline(kLong));
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.starts_with("the name no such.invalid can't be resolved"));
  const auto absent = Socket::local("/no/such/socket", stop_fd);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().message.find("/no/such/socket") != std::string::npos);
  ::close(stop_fd);
}

}  // namespace
}  // namespace streamd::mongo
