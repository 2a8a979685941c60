// SPDX-License-Identifier: Apache-2.0
// Socket: a connection whose waits end at a deadline, or at once when a second file becomes
// readable. Private to this folder. One thread.
#pragma once

#include "engine/core/error.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>
#include <utility>

namespace streamd::mongo {

// millis: negative = never, 0 = at once.
class Deadline {
 public:
  explicit Deadline(std::int32_t millis) : at_once_(millis == 0) {
    if (millis >= 0) at_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(millis);
  }
  int millis_left() const;  // as poll() takes it
  bool at_once() const { return at_once_; }

 private:
  std::optional<std::chrono::steady_clock::time_point> at_;
  bool at_once_;
};

class Socket {
 public:
  Socket() = default;
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), stop_fd_(other.stop_fd_) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    stop_fd_ = other.stop_fd_;
    return *this;
  }
  ~Socket() { close(); }

  // Tries every address of the host.
  static Result<Socket> connect(const std::string& host, std::uint16_t port, int stop_fd,
                                const Deadline& deadline);
  static Result<Socket> local(const std::string& path, int stop_fd);

  // Bytes moved; 0 = the other side has closed; -1 with errno: ETIMEDOUT, EAGAIN when the deadline
  // was "at once", ECONNABORTED after a stop, or the kernel's own.
  ssize_t read(void* into, std::size_t size, const Deadline& deadline);
  ssize_t write(const void* from, std::size_t size, const Deadline& deadline);
  bool closed_by_peer() const;
  void close() noexcept;
  int fd() const { return fd_; }
  int stop_fd() const { return stop_fd_; }

 private:
  Socket(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}
  bool wait(short events, const Deadline& deadline) const;

  int fd_ = -1;
  int stop_fd_ = -1;
};

}  // namespace streamd::mongo
