// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/io/http/test_server.h"

#include "engine/core/check.h"
#include "engine/io/http/headers.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace streamd::http {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address loopback(int family) {
  Address a;
  if (family == AF_INET6) {
    auto* six = reinterpret_cast<sockaddr_in6*>(&a.storage);
    six->sin6_family = AF_INET6;
    six->sin6_addr = in6addr_loopback;
    a.size = sizeof *six;
  } else {
    auto* four = reinterpret_cast<sockaddr_in*>(&a.storage);
    four->sin_family = AF_INET;
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.size = sizeof *four;
  }
  return a;
}

int bound_socket(int family, std::uint16_t& port) {
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Address a = loopback(family);
  auto* raw = reinterpret_cast<sockaddr*>(&a.storage);
  STREAMD_CHECK(::bind(socket, raw, a.size) == 0, "loopback can be bound");
  STREAMD_CHECK(::getsockname(socket, raw, &a.size) == 0, "a bound socket has a name");
  port = ntohs(reinterpret_cast<const sockaddr_in*>(&a.storage)->sin_port);
  return socket;
}

}  // namespace

std::string Peer::request() {
  std::array<char, 65536> piece{};
  while (true) {
    if (const auto end = buffered_.find("\r\n\r\n"); end != std::string::npos) {
      std::size_t body = 0;
      for (std::size_t at = 0; at < end;) {
        const std::size_t next = buffered_.find("\r\n", at);
        const std::string_view line = std::string_view(buffered_).substr(at, next - at);
        const std::size_t colon = line.find(": ");
        if (colon != std::string_view::npos && same_token(line.substr(0, colon), "Content-Length"))
          body = std::strtoul(std::string(line.substr(colon + 2)).c_str(), nullptr, 10);
        at = next + 2;
      }
      if (buffered_.size() >= end + 4 + body) {
        std::string out = buffered_.substr(0, end + 4 + body);
        buffered_.erase(0, out.size());
        return out;
      }
    }
    const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got <= 0) return {};
    buffered_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

bool Peer::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Peer::send_slowly(std::string_view bytes) const {
  for (const char& byte : bytes)
    if (!send({&byte, 1})) return false;
  return true;
}

void Peer::wait_for_close() const {
  std::array<char, 4096> piece{};
  while (::recv(socket_, piece.data(), piece.size(), 0) > 0) {
  }
}

void Peer::reset() const {
  // A TCP socket that is connected to nothing sends RST.
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  ::connect(socket_, &none, sizeof none);
}

TestServer::TestServer(Script script, int family) : script_(std::move(script)) {
  listener_ = bound_socket(family, port_);
  STREAMD_CHECK(::listen(listener_, 64) == 0, "a bound socket can listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

TestServer::~TestServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

void TestServer::accept_all() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (ending_ || socket < 0) {
      if (socket >= 0) ::close(socket);
      return;
    }
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const int number = static_cast<int>(sockets_.size());
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket, number] {
      Peer peer(socket);
      peer.number = number;
      script_(peer);
      // The number of the socket stays taken until the end: nobody else's is shut down by mistake.
      ::shutdown(socket, SHUT_RDWR);
    });
  }
}

std::string TestServer::url(const std::string& target) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, target);
}

int TestServer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(sockets_.size());
}

std::string TestServer::response(const std::string& body, const std::string& more_headers) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), more_headers,
                     body);
}

std::uint16_t dead_port() {
  std::uint16_t port = 0;
  ::close(bound_socket(AF_INET, port));
  return port;
}

}  // namespace streamd::http
