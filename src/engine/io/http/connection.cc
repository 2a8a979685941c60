// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/connection.h"

#include "engine/codec/base64.h"
#include "engine/io/http/answer.h"
#include "engine/io/http/tls.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sys/socket.h>
#include <vector>

namespace streamd::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64 * 1024;

tl::unexpected<Trouble> cut_off() {
  return trouble(Fault::closed, "the connection was closed by the other side");
}

std::string_view reason_of(const error_code& code) {
  if (code == asio::error::connection_refused) return "connection refused";
  if (code == asio::error::network_unreachable) return "network unreachable";
  if (code == asio::error::host_unreachable) return "host unreachable";
  if (code == asio::error::timed_out) return "no answer";
  return "the system refuses it";
}

}  // namespace

struct Connection::Inside {
  asio::io_context io;
  tcp::socket socket{io};
  std::optional<asio::ssl::stream<tcp::socket&>> tls;
  std::vector<char> buffer = std::vector<char>(kReadBytes);

  // The read that goes on in the background of a timeout.
  bool reading = false;
  bool read_done = false;
  error_code read_code;
  std::size_t read_bytes = 0;
  std::uint64_t sent = 0;

  // Runs handlers until `done`.
  Try<void> run_until(const bool& done, const Wait& wait) {
    const std::stop_callback wake(wait.stop, [this] { asio::post(io, [] {}); });
    while (!done) {
      if (wait.stop.stop_requested()) return stopped();
      io.restart();
      if (io.run_one_until(wait.until) == 0 && !done &&
          std::chrono::steady_clock::now() >= wait.until)
        return trouble(Fault::timeout, "no answer in time");
    }
    return {};
  }

  // Starts an operation and waits for its end; closes the socket when that does not come in time,
  // as its handler must not outlive the call.
  template <class Start>
  Try<error_code> perform(const Wait& wait, Start start) {
    bool done = false;
    error_code result;
    start([&](const error_code& code, auto... bytes) {
      result = code;
      done = true;
      ((sent += bytes), ...);
    });
    if (auto status = run_until(done, wait); !status) {
      close();
      io.restart();
      while (!done && io.run_one() > 0) {
      }
      return tl::unexpected(std::move(status).error());
    }
    return result;
  }

  void close() {
    error_code ignored;
    socket.close(ignored);
  }

  Try<void> connect(const std::string& address, std::uint16_t port, const Wait& wait) {
    error_code code;
    const auto ip = asio::ip::make_address(address, code);
    if (code) return trouble(Fault::name, "the host name leads to no IP address");
    close();
    auto result = perform(wait, [&](auto handler) {
      socket.async_connect(tcp::endpoint(ip, port), std::move(handler));
    });
    if (!result) return tl::unexpected(std::move(result).error());
    if (*result) {
      return trouble(Fault::connect, fmt::format("no connection: {}", reason_of(*result)),
                     "check that the service runs and that the address is right");
    }
    socket.set_option(tcp::no_delay(true), code);
    socket.set_option(asio::socket_base::keep_alive(true), code);
    return {};
  }

  Try<void> handshake(Tls& settings, const std::string& host, const Wait& wait) {
    tls.emplace(socket, settings.context());
    if (!settings.prepare(tls->native_handle(), host))
      return trouble(Fault::tls, "OpenSSL does not take the host name", {}, false);
    auto result = perform(wait, [&](auto handler) {
      tls->async_handshake(asio::ssl::stream_base::client, std::move(handler));
    });
    if (!result) return tl::unexpected(std::move(result).error());
    if (*result) return tl::unexpected(tls_trouble(*result, tls->native_handle()));
    return {};
  }

  void begin_read() {
    reading = true;
    read_done = false;
    auto handler = [this](const error_code& code, std::size_t bytes) {
      read_code = code;
      read_bytes = bytes;
      read_done = true;
    };
    if (tls)
      tls->async_read_some(asio::buffer(buffer), handler);
    else
      socket.async_read_some(asio::buffer(buffer), handler);
  }
};

std::string Route::host_port() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::string Route::key() const {
  return fmt::format("{}{} {}", tls ? "s" : "p", host_port(), proxy ? proxy->host_port() : "");
}

std::string basic_credentials(const Url& url) {
  return "Basic " + base64_encode(url.user + ':' + url.password);
}

Connection::Connection() : inside_(std::make_unique<Inside>()) {}

Connection::~Connection() { inside_->close(); }

Try<std::unique_ptr<Connection>> Connection::dial(const Route& route, Names& names, Tls& tls,
                                                  const Wait& wait) {
  const std::string& host = route.proxy ? route.proxy->host : route.host;
  const std::uint16_t port = route.proxy ? route.proxy->port : route.port;
  const auto in_proxy = [&](Trouble found) {
    if (route.proxy && found.fault != Fault::stopped)
      found.what = fmt::format("proxy {}: {}", route.proxy->host_port(), found.what);
    return tl::unexpected<Trouble>(std::move(found));
  };
  auto addresses = names.look_up(host, wait);
  if (!addresses) return in_proxy(addresses.error());
  std::unique_ptr<Connection> connection;
  try {
    connection.reset(new Connection());
  } catch (const std::exception&) {
    return trouble(Fault::connect, "the system gives no further socket",
                   "raise the limit of open files (ulimit -n)");
  }
  Try<void> status;
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    // An address that does not answer must leave time for the others.
    const auto now = std::chrono::steady_clock::now();
    const auto share = (wait.until - now) / static_cast<std::int64_t>(addresses->size() - i);
    status = connection->inside_->connect((*addresses)[i], port, {now + share, wait.stop});
    if (status || status.error().fault == Fault::stopped) break;
  }
  if (!status) return in_proxy(std::move(status).error());
  if (route.proxy && route.tls) {
    if (auto opened = connection->tunnel(route, wait); !opened)
      return in_proxy(std::move(opened).error());
  }
  if (route.tls) {
    if (auto shaken = connection->inside_->handshake(tls, route.host, wait); !shaken)
      return tl::unexpected(std::move(shaken).error());
  }
  return connection;
}

Try<void> Connection::tunnel(const Route& route, const Wait& wait) {
  std::string head = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\nUser-Agent: {1}\r\n",
                                 route.host_port(), route.user_agent);
  if (route.proxy->has_credentials())
    head += fmt::format("Proxy-Authorization: {}\r\n", basic_credentials(*route.proxy));
  if (auto status = write(head + "\r\n", {}, wait); !status) return status;
  Answer answer(*this, true);
  if (auto status = answer.read_head(wait); !status) return status;
  if (answer.status() == 407) {
    return trouble(Fault::proxy, "it wants a login (407)",
                   "put user and password into the proxy's URL", false);
  }
  if (answer.status() / 100 != 2) {
    return trouble(Fault::proxy, fmt::format("it refuses the connection ({})", answer.status()),
                   "check that the proxy lets this host and port through",
                   answer.status() / 100 == 5);
  }
  return {};
}

Try<std::string_view> Connection::read(const Wait& wait) {
  Inside& in = *inside_;
  if (!in.reading) in.begin_read();
  if (auto status = in.run_until(in.read_done, wait); !status)
    return tl::unexpected(std::move(status).error());
  in.reading = false;
  if (in.read_bytes > 0) return std::string_view(in.buffer.data(), in.read_bytes);
  if (in.read_code == asio::error::eof) return std::string_view{};
  if (in.tls && in.read_code.category() == asio::error::get_ssl_category())
    return tl::unexpected(tls_trouble(in.read_code, in.tls->native_handle()));
  return cut_off();
}

Try<void> Connection::write(std::string_view head, std::string_view body, const Wait& wait) {
  Inside& in = *inside_;
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(head.data(), head.size()),
                                                   asio::buffer(body.data(), body.size())};
  auto result = in.perform(wait, [&](auto handler) {
    if (in.tls)
      asio::async_write(*in.tls, parts, std::move(handler));
    else
      asio::async_write(in.socket, parts, std::move(handler));
  });
  if (!result) return tl::unexpected(std::move(result).error());
  if (*result) return cut_off();
  return {};
}

std::uint64_t Connection::sent() const { return inside_->sent; }

void Connection::begin_request() { inside_->sent = 0; }

bool Connection::usable() const {
  if (inside_->reading || !inside_->socket.is_open()) return false;
  char byte = 0;
  const auto got = ::recv(inside_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace streamd::http
