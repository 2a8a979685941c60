// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/stream.h"

#include "engine/io/mongo/socket.h"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>
#include <vector>

namespace streamd::mongo {
namespace {

// Beyond the numbers of the library's own kinds.
constexpr int kStreamType = 1000;
constexpr std::size_t kBuffer = 16 << 10;

// The library knows its first member and hands that back.
struct Stream {
  mongoc_stream_t base{};
  Socket socket;
  int error = 0;  // of the last call
};

Stream& of(mongoc_stream_t* stream) { return *reinterpret_cast<Stream*>(stream); }

void destroy(mongoc_stream_t* stream) { delete &of(stream); }

int close_stream(mongoc_stream_t* stream) {
  of(stream).socket.close();
  return 0;
}

int flush(mongoc_stream_t*) { return 0; }

ssize_t result(Stream& stream, ssize_t bytes) {
  stream.error = errno;
  return bytes;
}

ssize_t writev(mongoc_stream_t* stream, mongoc_iovec_t* iov, size_t count, int32_t timeout) {
  Stream& self = of(stream);
  const Deadline deadline(timeout);
  ssize_t total = 0;
  errno = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto* bytes = static_cast<const char*>(iov[i].iov_base);
    for (size_t done = 0; done < iov[i].iov_len;) {
      const ssize_t n = self.socket.write(bytes + done, iov[i].iov_len - done, deadline);
      if (n <= 0) return result(self, errno == ETIMEDOUT && total > 0 ? total : -1);
      done += static_cast<size_t>(n);
      total += n;
    }
  }
  return result(self, total);
}

ssize_t readv(mongoc_stream_t* stream, mongoc_iovec_t* iov, size_t count, size_t least,
              int32_t timeout) {
  Stream& self = of(stream);
  const Deadline deadline(timeout);
  size_t total = 0;
  errno = 0;
  for (size_t i = 0; i < count; ++i) {
    auto* bytes = static_cast<char*>(iov[i].iov_base);
    for (size_t done = 0; done < iov[i].iov_len;) {
      const ssize_t n = self.socket.read(bytes + done, iov[i].iov_len - done, deadline);
      if (n <= 0) return result(self, total >= least ? static_cast<ssize_t>(total) : -1);
      done += static_cast<size_t>(n);
      total += static_cast<size_t>(n);
      if (total >= least) return result(self, static_cast<ssize_t>(total));
    }
  }
  return result(self, static_cast<ssize_t>(total));
}

int set_option(mongoc_stream_t* stream, int level, int name, void* value, mongoc_socklen_t size) {
  return ::setsockopt(of(stream).socket.fd(), level, name, value, size);
}

bool check_closed(mongoc_stream_t* stream) { return of(stream).socket.closed_by_peer(); }

ssize_t poll_streams(mongoc_stream_poll_t* streams, size_t count, int32_t timeout) {
  std::vector<pollfd> fds;
  for (size_t i = 0; i < count; ++i)
    fds.push_back({of(streams[i].stream).socket.fd(), static_cast<short>(streams[i].events), 0});
  if (count > 0) fds.push_back({of(streams[0].stream).socket.stop_fd(), POLLIN, 0});
  const int ready = ::poll(fds.data(), fds.size(), timeout);
  for (size_t i = 0; i < count; ++i) streams[i].revents = fds[i].revents;
  if (count > 0 && fds.back().revents != 0) {
    errno = ECONNABORTED;
    return -1;
  }
  return ready;
}

bool timed_out(mongoc_stream_t* stream) { return of(stream).error == ETIMEDOUT; }

bool should_retry(mongoc_stream_t* stream) {
  const int error = of(stream).error;
  return error == EAGAIN || error == EINTR || error == EINPROGRESS;
}

mongoc_stream_t* new_stream(Socket socket) {
  auto* stream = new Stream;
  stream->socket = std::move(socket);
  mongoc_stream_t& base = stream->base;
  base.type = kStreamType;
  base.destroy = destroy;
  base.failed = destroy;
  base.close = close_stream;
  base.flush = flush;
  base.writev = writev;
  base.readv = readv;
  base.setsockopt = set_option;
  base.check_closed = check_closed;
  base.poll = poll_streams;
  base.timed_out = timed_out;
  base.should_retry = should_retry;
  return &base;
}

bool flag(const mongoc_uri_t* uri, const char* name) {
  return mongoc_uri_get_option_as_bool(uri, name, false);
}

// nullptr: `error` says why.
mongoc_stream_t* with_tls(mongoc_stream_t* stream, const mongoc_uri_t* uri, const char* host,
                          int32_t timeout, bson_error_t* error) {
  mongoc_ssl_opt_t options = *mongoc_ssl_opt_get_default();
  options.ca_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, nullptr);
  options.pem_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, nullptr);
  options.pem_pwd =
      mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, nullptr);
  const bool insecure = flag(uri, MONGOC_URI_TLSINSECURE);
  options.weak_cert_validation = insecure || flag(uri, MONGOC_URI_TLSALLOWINVALIDCERTIFICATES);
  options.allow_invalid_hostname = insecure || flag(uri, MONGOC_URI_TLSALLOWINVALIDHOSTNAMES);
  mongoc_stream_t* tls = mongoc_stream_tls_new_with_hostname(stream, host, &options, 1);
  if (tls == nullptr) {
    mongoc_stream_destroy(stream);
    bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET,
                   "the certificate files of the URI can't be used");
    return nullptr;
  }
  if (!mongoc_stream_tls_handshake_block(tls, host, timeout, error)) {
    mongoc_stream_destroy(tls);
    return nullptr;
  }
  return tls;
}

mongoc_stream_t* connect(const mongoc_uri_t* uri, const mongoc_host_list_t* host, void* data,
                         bson_error_t* error) {
  const auto& interrupt = *static_cast<Interrupt*>(data);
  const int32_t timeout = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, 10'000);
  auto socket = host->family == AF_UNIX
                    ? Socket::local(host->host, interrupt.fd())
                    : Socket::connect(host->host, host->port, interrupt.fd(), Deadline(timeout));
  if (!socket) {
    bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "%s",
                   socket.error().message.c_str());
    return nullptr;
  }
  mongoc_stream_t* stream = new_stream(std::move(*socket));
  if (mongoc_uri_get_tls(uri)) stream = with_tls(stream, uri, host->host, timeout, error);
  return stream == nullptr ? nullptr : mongoc_stream_buffered_new(stream, kBuffer);
}

}  // namespace

Result<std::unique_ptr<Interrupt>> Interrupt::make() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return fail(ErrorKind::external, "no more files can be opened");
  return std::unique_ptr<Interrupt>(new Interrupt(fd));
}

Interrupt::~Interrupt() { ::close(fd_); }

void Interrupt::raise() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

void make_interruptible(mongoc_client_t* client, Interrupt& interrupt) {
  mongoc_client_set_stream_initiator(client, connect, &interrupt);
}

}  // namespace streamd::mongo
