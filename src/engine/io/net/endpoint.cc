// SPDX-License-Identifier: Apache-2.0
#include "engine/io/net/endpoint.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <sys/un.h>
#include <utility>

namespace streamd {
namespace net {
namespace {

constexpr std::array<std::pair<std::string_view, Transport>, 3> kSchemes = {
    {{"udp://", Transport::udp}, {"tcp://", Transport::tcp}, {"tls://", Transport::tls}}};
constexpr const char* kHow =
    "Write udp://0.0.0.0:514, tcp://[::]:601, tls://0.0.0.0:6514 or unix:/run/streamd/log.";

Result<Endpoint> unix_endpoint(std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(2);
  if (!path.starts_with('/'))
    return fail(ErrorKind::config, "the path of a unix socket must begin with /", kHow);
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(ErrorKind::config,
                fmt::format("the path of a unix socket may have {} bytes",
                            sizeof(sockaddr_un::sun_path) - 1),
                "Choose a shorter path, for example under /run.");
  Endpoint out;
  out.transport = Transport::unix_datagram;
  out.path = path;
  return out;
}

bool split(std::string_view text, std::string_view& host, std::string_view& port) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close + 1 >= text.size() || text[close + 1] != ':')
      return false;
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
    return !host.empty();
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
    return false;
  host = text.substr(0, colon);
  port = text.substr(colon + 1);
  return true;
}

bool is_host(std::string_view host) {
  for (const char c : host) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
    if (!good) return false;
  }
  return host.size() <= 255;
}

}  // namespace

std::string Endpoint::text() const {
  if (transport == Transport::unix_datagram) return "unix:" + path;
  const bool v6 = host.find(':') != std::string::npos;
  for (const auto& [scheme, of] : kSchemes) {
    if (of == transport)
      return fmt::format("{}{}{}{}:{}", scheme, v6 ? "[" : "", host, v6 ? "]" : "", port);
  }
  return {};
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with("unix:")) return unix_endpoint(text.substr(5));
  Endpoint out;
  std::string_view rest;
  for (const auto& [scheme, transport] : kSchemes) {
    if (!text.starts_with(scheme)) continue;
    out.transport = transport;
    rest = text.substr(scheme.size());
  }
  if (rest.empty())
    return fail(ErrorKind::config, "an address begins with udp://, tcp://, tls:// or unix:", kHow);
  std::string_view host, port;
  if (!split(rest, host, port))
    return fail(ErrorKind::config, "an address ends with a port; IPv6 stands in brackets", kHow);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size())
    return fail(ErrorKind::config, "a port is a number from 0 to 65535", kHow);
  if (host == "*") host = {};
  if (!is_host(host)) return fail(ErrorKind::config, "this is no host name and no address", kHow);
  out.host = host;
  return out;
}

}  // namespace net

bool FieldType<net::Endpoint>::read(const ConfigNode& node, net::Endpoint& into,
                                    Diagnostics& problems) {
  if (node.shape != ConfigNode::Shape::scalar) {
    report_type(node, name(), problems);
    return false;
  }
  auto parsed = net::parse_endpoint(node.text);
  if (parsed) {
    into = std::move(*parsed);
    return true;
  }
  const std::string what =
      node.substituted ? std::string("address") : fmt::format("\"{}\"", node.text);
  problems.error("bad-address", node.place, what + ": " + parsed.error().message,
                 parsed.error().hint);
  return false;
}

std::string FieldType<net::Endpoint>::name() { return "address"; }
std::string FieldType<net::Endpoint>::json_schema() {
  return R"({"type":"string","pattern":"^(udp|tcp|tls)://.*:|^unix:/|\\$\\{"})";
}
std::string FieldType<net::Endpoint>::show(const net::Endpoint& value) {
  return value.port == 0 && value.path.empty() ? "" : value.text();
}

}  // namespace streamd
