// SPDX-License-Identifier: Apache-2.0
#include "engine/io/control/unix_stream.h"

#include "engine/core/folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace streamd::control {
namespace {

constexpr int kBacklog = 16;
constexpr mode_t kOnlyMine = 0600;

tl::unexpected<Error> failed(const std::string& path, const char* doing, int code) {
  return fail(ErrorKind::external, fmt::format("{}: {}: {}", path, doing, std::strerror(code)));
}

// An address, and the folder that it may lead through, which must stay open meanwhile.
struct Place {
  net::Socket folder;
  sockaddr_un address{};
  socklen_t size = 0;
};

Result<Place> place_of(const std::string& path) {
  Place place;
  place.address.sun_family = AF_UNIX;
  std::string name = path;
  if (path.size() >= sizeof place.address.sun_path) {
    const int folder = ::open(folder_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return failed(path, "the folder can't be opened", errno);
    place.folder = net::Socket(folder);
    name = fmt::format("/proc/self/fd/{}/{}", folder, path.substr(path.rfind('/') + 1));
    if (name.size() >= sizeof place.address.sun_path)
      return failed(path, "the name is too long", ENAMETOOLONG);
  }
  std::memcpy(place.address.sun_path, name.data(), name.size());
  place.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + 1);
  return place;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Result<net::Socket> listen_in_file(const std::string& path) {
  auto place = place_of(path);
  if (!place) return tl::unexpected(std::move(place).error());
  net::Socket out(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out) return failed(path, "no socket", errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return failed(path, "the old socket can't be removed", errno);
  // Linux makes the file with the mode of the socket: at no time others can connect.
  if (::fchmod(out.descriptor(), kOnlyMine) != 0 ||
      ::bind(out.descriptor(), generic(place->address), place->size) != 0 ||
      ::chmod(path.c_str(), kOnlyMine) != 0 || ::listen(out.descriptor(), kBacklog) != 0)
    return failed(path, "can't receive there", errno);
  return out;
}

Result<net::Socket> connect_to_file(const std::string& path) {
  auto place = place_of(path);
  if (!place) return tl::unexpected(std::move(place).error());
  net::Socket out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out) return failed(path, "no socket", errno);
  if (::connect(out.descriptor(), generic(place->address), place->size) == 0) return out;
  const int code = errno;
  auto error = failed(path, "nobody answers", code);
  if (code == ENOENT || code == ECONNREFUSED) error.value().retry = Retry::backoff;
  return error;
}

}  // namespace streamd::control
