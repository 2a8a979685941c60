// SPDX-License-Identifier: Apache-2.0
#include "engine/io/net/socket.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <linux/sock_diag.h>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace streamd::net {
namespace {

constexpr int kBacklog = 4096;
constexpr std::int64_t kSliceMillis = 100;

template <class Address>
sockaddr* generic(Address& address) {
  return reinterpret_cast<sockaddr*>(&address);
}
template <class Address>
const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool set(int descriptor, int level, int name, int value) {
  return ::setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

struct Found {
  sockaddr_storage address{};
  socklen_t size = 0;
};

// All addresses of the name, the preferred one first; at least one.
Result<std::vector<Found>> look_up(const Endpoint& endpoint, bool passive) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = endpoint.stream() ? SOCK_STREAM : SOCK_DGRAM;
  wanted.ai_flags = passive ? AI_PASSIVE : 0;
  // Every address: IPv6's wildcard takes IPv4 too.
  const char* const everywhere = passive ? "::" : "localhost";
  const char* const host = endpoint.host.empty() ? everywhere : endpoint.host.c_str();
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host, std::to_string(endpoint.port).c_str(), &wanted, &list);
  if (code != 0)
    return fail_for_now(
        fmt::format("{}: the name is unknown: {}", endpoint.text(), ::gai_strerror(code)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<Found> all;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    Found& found = all.emplace_back();
    found.size = std::min<socklen_t>(at->ai_addrlen, sizeof found.address);
    std::memcpy(&found.address, at->ai_addr, found.size);
  }
  return all;
}

Found unix_address(const std::string& path) {
  Found found;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  found.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  std::memcpy(&found.address, &address, sizeof address);
  return found;
}

bool is_socket(const std::string& path) {
  struct stat about {};
  return ::lstat(path.c_str(), &about) == 0 && S_ISSOCK(about.st_mode);
}

// A name for which nobody listens any more.
bool is_left_over(const Found& at, const std::string& path) {
  if (!is_socket(path)) return false;
  const Socket probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.descriptor(), generic(at.address), at.size) != 0 && errno == ECONNREFUSED;
}

tl::unexpected<Error> not_there(const Endpoint& endpoint, const char* doing, int code) {
  std::string hint;
  if (code == EACCES && endpoint.port != 0 && endpoint.port < 1024)
    hint = "ports below 1024 need root or CAP_NET_BIND_SERVICE; use for example port 5514";
  else if (code == EADDRINUSE && endpoint.path.empty())
    hint = "another process receives there: stop it or use another port";
  else if (code == EADDRINUSE)
    hint = is_socket(endpoint.path)
               ? "another process receives there: stop it or use another path"
               : "there is a file of that name, which is no socket: remove it or use another path";
  else if (code == ENOENT)
    hint = "make its folder before, or use another path";
  else if (code == EADDRNOTAVAIL)
    hint = "this machine has no such address: 0.0.0.0 means all of IPv4, [::] all there are";
  return fail(ErrorKind::external,
              fmt::format("{}: {}: {}", endpoint.text(), doing, std::strerror(code)), hint);
}

// Beyond the system's limit only root may.
void grant_buffer(int descriptor, std::size_t bytes) {
  if (bytes == 0) return;
  const int wanted = static_cast<int>(std::min<std::size_t>(bytes, 1u << 30));
  if (!set(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, wanted))
    set(descriptor, SOL_SOCKET, SO_RCVBUF, wanted);
}

Result<Socket> listen_unix(const Endpoint& endpoint, const ListenOptions& options) {
  const Found at = unix_address(endpoint.path);
  Socket out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out) return not_there(endpoint, "no socket", errno);
  grant_buffer(out.descriptor(), options.receive_buffer);
  int code = ::bind(out.descriptor(), generic(at.address), at.size) == 0 ? 0 : errno;
  if (code == EADDRINUSE && is_left_over(at, endpoint.path) && ::unlink(endpoint.path.c_str()) == 0)
    code = ::bind(out.descriptor(), generic(at.address), at.size) == 0 ? 0 : errno;
  if (code != 0) return not_there(endpoint, "can't receive there", code);
  ::chmod(endpoint.path.c_str(), 0666);
  return out;
}

Result<Socket> connect_to(const Endpoint& endpoint, const Found& at, Duration limit,
                          const std::stop_token& stop) {
  const int type = endpoint.stream() ? SOCK_STREAM : SOCK_DGRAM;
  Socket out(::socket(at.address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out) return fail_for_now(fmt::format("{}: {}", endpoint.text(), std::strerror(errno)));
  int code = ::connect(out.descriptor(), generic(at.address), at.size) == 0 ? 0 : errno;
  if (code == EINPROGRESS) {
    if (!wait_for(out, true, limit, stop))
      return fail_for_now(
          fmt::format("{}: no answer within {}", endpoint.text(), format_duration(limit)));
    socklen_t size = sizeof code;
    ::getsockopt(out.descriptor(), SOL_SOCKET, SO_ERROR, &code, &size);
  }
  if (code != 0) return fail_for_now(fmt::format("{}: {}", endpoint.text(), std::strerror(code)));
  return out;
}

}  // namespace

void Socket::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

Result<Socket> listen_at(const Endpoint& endpoint, const ListenOptions& options) {
  if (endpoint.transport == Transport::unix_datagram) return listen_unix(endpoint, options);
  const auto found = look_up(endpoint, true);
  if (!found) return tl::unexpected(found.error());
  const Found& at = found->front();
  const int type = endpoint.stream() ? SOCK_STREAM : SOCK_DGRAM;
  Socket out(::socket(at.address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out && errno == EAFNOSUPPORT && endpoint.host.empty()) {
    Endpoint v4 = endpoint;
    v4.host = "0.0.0.0";
    return listen_at(v4, options);
  }
  if (!out) return not_there(endpoint, "no socket", errno);
  if (endpoint.stream()) set(out.descriptor(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.shared) set(out.descriptor(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (at.address.ss_family == AF_INET6)
    set(out.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, endpoint.host.empty() ? 0 : 1);
  grant_buffer(out.descriptor(), options.receive_buffer);
  if (::bind(out.descriptor(), generic(at.address), at.size) != 0)
    return not_there(endpoint, "can't receive there", errno);
  if (endpoint.stream() && ::listen(out.descriptor(), kBacklog) != 0)
    return not_there(endpoint, "can't listen there", errno);
  return out;
}

std::uint16_t port_of(const Socket& socket) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  if (::getsockname(socket.descriptor(), generic(at), &size) != 0) return 0;
  if (at.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(at).sin_port);
  if (at.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(at).sin6_port);
  return 0;
}

std::size_t receive_buffer_of(const Socket& socket) {
  int doubled = 0;
  socklen_t size = sizeof doubled;
  if (::getsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVBUF, &doubled, &size) != 0) return 0;
  return static_cast<std::size_t>(doubled) / 2;
}

std::uint32_t dropped_by_kernel(const Socket& socket) {
  std::uint32_t about[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof about;
  if (::getsockopt(socket.descriptor(), SOL_SOCKET, SO_MEMINFO, about, &size) != 0) return 0;
  return about[SK_MEMINFO_DROPS];
}

bool wait_for(const Socket& socket, bool write, Duration limit, const std::stop_token& stop) {
  for (std::int64_t left = limit.micros / 1000; left > 0 && !stop.stop_requested();
       left -= kSliceMillis) {
    pollfd waiting{socket.descriptor(), static_cast<short>(write ? POLLOUT : POLLIN), 0};
    if (::poll(&waiting, 1, static_cast<int>(std::min(left, kSliceMillis))) > 0) return true;
  }
  return false;
}

Result<Socket> connect_to(const Endpoint& endpoint, Duration limit, const std::stop_token& stop) {
  if (endpoint.transport == Transport::unix_datagram)
    return connect_to(endpoint, unix_address(endpoint.path), limit, stop);
  const auto all = look_up(endpoint, false);
  if (!all) return tl::unexpected(all.error());
  Result<Socket> out;
  for (const Found& at : *all)
    if (out = connect_to(endpoint, at, limit, stop); out) break;
  return out;
}

std::size_t print_address(const sockaddr_storage& from, char* to) {
  const char* found = nullptr;
  if (from.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
    const bool v4 = IN6_IS_ADDR_V4MAPPED(&address);
    found = v4 ? ::inet_ntop(AF_INET, address.s6_addr + 12, to, kAddressBytes)
               : ::inet_ntop(AF_INET6, &address, to, kAddressBytes);
  } else if (from.ss_family == AF_INET) {
    const in_addr& address = reinterpret_cast<const sockaddr_in&>(from).sin_addr;
    unsigned char octets[4];
    std::memcpy(octets, &address, 4);
    char* p = to;
    for (int i = 0; i < 4; ++i) {
      const unsigned octet = octets[i];
      if (i > 0) *p++ = '.';
      if (octet >= 100) *p++ = static_cast<char>('0' + octet / 100);
      if (octet >= 10) *p++ = static_cast<char>('0' + octet / 10 % 10);
      *p++ = static_cast<char>('0' + octet % 10);
    }
    return static_cast<std::size_t>(p - to);
  }
  return found == nullptr ? 0 : std::strlen(found);
}

void address_bytes(const sockaddr_storage& from, char* to) {
  std::memset(to, 0, 16);
  if (from.ss_family == AF_INET6) {
    std::memcpy(to, &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, 16);
  } else if (from.ss_family == AF_INET) {
    to[10] = to[11] = '\xFF';
    std::memcpy(to + 12, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, 4);
  }
}

}  // namespace streamd::net
