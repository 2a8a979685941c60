// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/socket.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

namespace streamd::mongo {
namespace {

std::string why(int error) { return std::generic_category().message(error); }

void set_flag(int fd, int level, int name) {
  const int on = 1;
  // Without these a connection works too.
  static_cast<void>(::setsockopt(fd, level, name, &on, sizeof on));
}

}  // namespace

int Deadline::millis_left() const {
  if (!at_) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*at_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

void Socket::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

// False: errno says why.
bool Socket::wait(short events, const Deadline& deadline) const {
  if (deadline.at_once()) {
    errno = EAGAIN;
    return false;
  }
  while (true) {
    pollfd fds[] = {{fd_, events, 0}, {stop_fd_, POLLIN, 0}};
    const int ready = ::poll(fds, 2, deadline.millis_left());
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return false;
    if (fds[1].revents != 0) {
      errno = ECONNABORTED;
      return false;
    }
    if (ready > 0) return true;
    errno = ETIMEDOUT;
    return false;
  }
}

ssize_t Socket::read(void* into, std::size_t size, const Deadline& deadline) {
  while (true) {
    const ssize_t n = ::recv(fd_, into, size, 0);
    if (n == 0) errno = 0;
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait(POLLIN, deadline)) return -1;
  }
}

ssize_t Socket::write(const void* from, std::size_t size, const Deadline& deadline) {
  while (true) {
    const ssize_t n = ::send(fd_, from, size, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait(POLLOUT, deadline)) return -1;
  }
}

bool Socket::closed_by_peer() const {
  char byte = 0;
  const ssize_t n = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

Result<Socket> Socket::connect(const std::string& host, std::uint16_t port, int stop_fd,
                               const Deadline& deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found))
    return fail_for_now(fmt::format("the name {} can't be resolved: {}", host, gai_strerror(code)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Socket socket(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), stop_fd);
    if (socket.fd_ < 0) {
      error = errno;
      continue;
    }
    if (::connect(socket.fd_, a->ai_addr, a->ai_addrlen) != 0) {
      socklen_t size = sizeof error;
      if (errno != EINPROGRESS || !socket.wait(POLLOUT, deadline))
        error = errno;
      else
        ::getsockopt(socket.fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) continue;
    }
    set_flag(socket.fd_, IPPROTO_TCP, TCP_NODELAY);
    set_flag(socket.fd_, SOL_SOCKET, SO_KEEPALIVE);
    return socket;
  }
  return fail_for_now(fmt::format("no connection to {}:{}: {}", host, port, why(error)));
}

Result<Socket> Socket::local(const std::string& path, int stop_fd) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), stop_fd);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (socket.fd_ < 0 ||
      ::connect(socket.fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return fail_for_now(fmt::format("no connection to {}: {}", path, why(errno)));
  return socket;
}

}  // namespace streamd::mongo
