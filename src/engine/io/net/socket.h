// SPDX-License-Identifier: Apache-2.0
// Sockets that never block. Plain Linux; errors are texts that name the address.
#pragma once

#include "engine/core/error.h"
#include "engine/core/time.h"
#include "engine/io/net/endpoint.h"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <sys/socket.h>
#include <utility>

namespace streamd::net {

// Owns a descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      close();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  ~Socket() { close(); }
  int descriptor() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  void close();

 private:
  int descriptor_ = -1;
};

struct ListenOptions {
  bool shared = false;  // several sockets at one address: the kernel spreads senders over them
  std::size_t receive_buffer = 0;  // bytes; 0 = the system's
};

// Receives at this address. A unix socket that is left from a process that died is replaced; the
// file is for everybody to write to. tls is tcp here. Names are looked up.
Result<Socket> listen_at(const Endpoint& endpoint, const ListenOptions& options);
// The port that the kernel chose for port 0.
std::uint16_t port_of(const Socket& socket);
// What the kernel grants, in bytes of payload.
std::size_t receive_buffer_of(const Socket& socket);
// Datagrams that the kernel has thrown away since the socket was made, modulo 2^32.
std::uint32_t dropped_by_kernel(const Socket& socket);

// A connected socket; the addresses of a name are tried in turn, each for `limit`. Looking it up
// may take longer; a stop ends the rest within 100 ms. Errors that time may heal have
// Retry::backoff.
Result<Socket> connect_to(const Endpoint& endpoint, Duration limit, const std::stop_token& stop);
// Waits until it can be read or written, at most `limit`. False: not yet, or stopped.
bool wait_for(const Socket& socket, bool write, Duration limit, const std::stop_token& stop);

// The sender's address without port; one that is IPv4 in IPv6's clothes as IPv4. `to` has room for
// kAddressBytes; returns the length.
inline constexpr std::size_t kAddressBytes = 64;
std::size_t print_address(const sockaddr_storage& from, char* to);
// 16 bytes that are equal for the same host.
void address_bytes(const sockaddr_storage& from, char* to);

}  // namespace streamd::net
