// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/exchange.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::http {
namespace {

// How long an answer may take that comes before the whole request was sent.
constexpr Duration kEarlyAnswer = Duration::from_seconds(1);

Try<std::unique_ptr<Connection>> dial(Parts& parts, const Route& route, const Wait& wait) {
  const Moment limit = std::min(wait.until, from_now(parts.options.connect_timeout));
  auto connection = Connection::dial(route, *parts.names, *parts.tls, {limit, wait.stop});
  if (connection) {
    ++parts.connections_made;
  } else if (connection.error().fault == Fault::timeout) {
    connection.error().what = "connecting took too long: " + connection.error().what;
    connection.error().hint = "check that the host is reachable and no firewall is in between";
  }
  return connection;
}

Try<void> talk(Exchange& on, const std::string& head, const Outgoing& out, const Wait& wait) {
  on.slot.connection->begin_request();
  const auto written = on.slot.connection->write(head, *out.body, wait);
  if (!written) {
    if (written.error().fault != Fault::closed || on.slot.connection->sent() == 0) return written;
    // It may have said why before it closed: 413 in the middle of a large body.
    const Wait early{std::min(wait.until, from_now(kEarlyAnswer)), wait.stop};
    if (!on.answer->read_head(early)) return written;
    return {};
  }
  return on.answer->read_head(wait);
}

}  // namespace

Try<void> check(const Outgoing& out) {
  const auto refuse = [](std::string what) {
    return trouble(Fault::request, std::move(what), {}, false);
  };
  if (!is_header_name(out.method)) return refuse("this is no HTTP method");
  for (const auto& [name, value] : out.headers.all()) {
    if (!is_header_name(name))
      return refuse("a header's name holds a character that none may have");
    if (!is_header_value(value)) {
      return refuse(fmt::format("the header \"{}\" holds a line end or a control character", name));
    }
    for (const char* own : {"Host", "Content-Length", "Transfer-Encoding", "Connection"})
      if (same_token(name, own)) return refuse(fmt::format("the header \"{}\" is not free", name));
  }
  const bool sendable =
      out.url.target.starts_with('/') && std::all_of(out.url.target.begin(), out.url.target.end(),
                                                     [](char c) { return c > 0x20 && c < 0x7F; });
  if (!sendable) return refuse("the URL's path or query is not percent-encoded");
  return {};
}

std::string head_of(const Outgoing& out, const Route& route) {
  std::string head = out.method + ' ';
  if (route.absolute_form()) head += out.url.origin();
  head += out.url.target;
  head += fmt::format(" HTTP/1.1\r\nHost: {}\r\n", out.url.authority());
  if (!out.headers.has("User-Agent") && !route.user_agent.empty())
    head += fmt::format("User-Agent: {}\r\n", route.user_agent);
  if (!out.headers.has("Accept")) head += "Accept: */*\r\n";
  if (!out.headers.has("Accept-Encoding")) head += "Accept-Encoding: gzip, deflate\r\n";
  for (const auto& [name, value] : out.headers.all())
    head += fmt::format("{}: {}\r\n", name, value);
  if (out.url.has_credentials() && !out.headers.has("Authorization"))
    head += fmt::format("Authorization: {}\r\n", basic_credentials(out.url));
  if (route.absolute_form() && route.proxy->has_credentials())
    head += fmt::format("Proxy-Authorization: {}\r\n", basic_credentials(*route.proxy));
  const bool wants_length = out.method != "GET" && out.method != "HEAD" && out.method != "DELETE";
  if (!out.body->empty() || wants_length)
    head += fmt::format("Content-Length: {}\r\n", out.body->size());
  return head + "\r\n";
}

Try<Exchange> exchange(Parts& parts, const Outgoing& out, const Wait& wait) {
  const Url* proxy = parts.proxies.proxy_for(out.url);
  const Route route{out.url.tls, out.url.host, out.url.port,
                    proxy == nullptr ? std::nullopt : std::optional<Url>(*proxy),
                    parts.options.user_agent};
  auto slot = parts.pool->take(route.key(), wait);
  if (!slot) return tl::unexpected(std::move(slot).error());
  Exchange on{std::move(*slot), nullptr};
  const std::string head = head_of(out, route);
  while (true) {
    const bool reused = on.slot.connection != nullptr;
    if (!reused) {
      auto connection = dial(parts, route, wait);
      if (!connection) return tl::unexpected(std::move(connection).error());
      on.slot.connection = std::move(*connection);
    }
    on.answer = std::make_unique<Answer>(*on.slot.connection, out.method == "HEAD");
    const auto status = talk(on, head, out, wait);
    if (status) return on;
    const bool was_dead = reused && status.error().fault == Fault::closed &&
                          !on.answer->has_begun() &&
                          (out.repeatable || on.slot.connection->sent() == 0);
    if (!was_dead) return tl::unexpected(status.error());
    on.answer.reset();
    on.slot.connection.reset();
  }
}

}  // namespace streamd::http
