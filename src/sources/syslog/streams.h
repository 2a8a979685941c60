// SPDX-License-Identifier: Apache-2.0
// Streams: the TCP and TLS connections of one reader. One thread.
//
// What a connection costs: its descriptor, its unfinished message, and for TLS OpenSSL's state.
// Unfinished messages of all connections together have a limit; the connection that goes beyond is
// closed. A complete message is never lost because its connection ends.
#pragma once

#include "engine/io/http/tls_session.h"
#include "engine/io/net/socket.h"
#include "sources/syslog/config.h"
#include "sources/syslog/framing.h"
#include "sources/syslog/intake.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::syslog {

struct StreamLimits {
  Framing framing = Framing::automatic;
  std::size_t max_record = 0;
  std::uint64_t max_connections = 0;
  Duration idle_timeout{}, message_timeout{};
};

class Streams {
 public:
  // epoll: where connections are watched, with their descriptor as data. open: how many there are
  // in all readers of the source.
  Streams(const StreamLimits& limits, int epoll, std::shared_ptr<std::atomic<std::uint64_t>> open,
          Intake& intake);
  ~Streams();

  // rules: null for plain TCP.
  void accept_from(const net::Socket& listener, std::shared_ptr<const http::TlsRules> rules);
  // The descriptor can be read or written. Others than this object's are ignored.
  void ready(int descriptor);
  // Goes on with what did not fit into the last batch. False: still not all.
  bool drain();
  // Closes what takes too long or is silent; what is there of a message is one. Called about once a
  // second. The time in which nobody read what a connection had sent does not count.
  void sweep();
  std::size_t count() const { return count_; }

 private:
  struct Connection;
  // A connection whose bytes are being cut.
  struct Hand {
    Connection* connection = nullptr;
    std::string_view rest;
    bool scratch = false;  // `rest` lies there, not in Connection::waiting
    bool end = false;      // nothing follows
    std::optional<Frame> frame;
  };
  enum class Got : std::uint8_t { bytes, nothing, end };

  void add(net::Socket socket, const sockaddr_storage& from,
           const std::shared_ptr<const http::TlsRules>& rules);
  void close(Connection& connection);
  bool shake_hands(Connection& connection);
  void read(Connection& connection);
  Got receive(Connection& connection, char* to, std::size_t room, std::size_t& got);
  Got step_of(Connection& connection, http::TlsSession::Step step);
  bool cut();
  void put_down();
  void watch(Connection& connection, bool write);

  const StreamLimits limits_;
  const int epoll_;
  const std::shared_ptr<std::atomic<std::uint64_t>> open_;
  Intake& intake_;
  std::vector<std::unique_ptr<Connection>> by_descriptor_;
  std::vector<int> hot_;  // have more without the socket
  std::unique_ptr<char[]> scratch_;
  Hand hand_;
  net::Socket spare_;  // given up to refuse a connection when there are no more descriptors
  std::size_t waiting_ = 0, count_ = 0;
};

}  // namespace streamd::syslog
