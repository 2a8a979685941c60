// SPDX-License-Identifier: Apache-2.0
// TestServer: a loopback server on raw sockets that does what a test says, byte by byte. Each
// connection runs the script on a thread of its own; the destructor wakes all of them up.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <vector>

namespace streamd::http {

// What a script has in hand: one accepted connection.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}

  // A request, head and body by Content-Length; "" when the client has closed.
  std::string request();
  // False: the client has closed.
  bool send(std::string_view bytes) const;
  // One write for each byte.
  bool send_slowly(std::string_view bytes) const;
  // Blocks until the client closes or the server ends.
  void wait_for_close() const;
  // Closes with RST instead of FIN.
  void reset() const;
  // The number of this connection, from 0.
  int number = 0;

 private:
  const int socket_;
  std::string buffered_;
};

class TestServer {
 public:
  using Script = std::function<void(Peer&)>;
  // family: AF_INET or AF_INET6; the loopback address of it.
  explicit TestServer(Script script, int family = AF_INET);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& target = "/") const;
  int connections() const;
  // 200 with a Content-Length.
  static std::string response(const std::string& body, const std::string& more_headers = {});

 private:
  void accept_all();
  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<int> sockets_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
  bool ending_ = false;
};

// A port on which nobody listens.
std::uint16_t dead_port();

}  // namespace streamd::http
