// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>

namespace streamd::http {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr std::size_t kLongestHost = 255;

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
bool is_escape(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
}

void append_escaped(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

tl::unexpected<Error> bad(const char* what, const char* hint = "") {
  return fail(ErrorKind::config, what, hint);
}

// Path or query as it is sent: what may not stand there is percent-encoded.
Status append_sendable(std::string_view text, bool in_query, std::string& out) {
  constexpr std::string_view kAllowed = "!$&'()*+,;=:@/";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return bad("the URL holds a control character");
    if (c == '%') {
      if (!is_escape(text, i)) {
        return bad("the URL holds a \"%\" without two hexadecimal digits",
                   "write a percent sign as %25");
      }
      out += c;
    } else if (is_unreserved(c) || kAllowed.find(c) != std::string_view::npos ||
               (in_query && c == '?')) {
      out += c;
    } else {
      append_escaped(c, out);
    }
  }
  return {};
}

// RFC 3986, 5.2.4. `path` begins with "/".
std::string without_dot_segments(std::string_view path) {
  std::string out;
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view segment = path.substr(at, end - at);  // with its slash
    const bool last = end == path.size();
    if (segment == "/." || segment == "/..") {
      if (segment == "/..") out.resize(out.empty() ? 0 : out.rfind('/'));
      if (last) out += '/';
    } else {
      out += segment;
    }
    at = end;
  }
  return out.empty() ? "/" : out;
}

Status read_target(std::string_view text, Url& into) {
  const std::string_view all = text.substr(0, text.find('#'));
  const std::size_t mark = all.find('?');
  std::string path;
  STREAMD_TRY(append_sendable(all.substr(0, mark), false, path));
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  into.target = without_dot_segments(path);
  if (mark == std::string_view::npos) return {};
  into.target += '?';
  return append_sendable(all.substr(mark + 1), true, into.target);
}

Status read_port(std::string_view text, Url& into) {
  if (text.empty()) return {};
  unsigned port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (code != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535)
    return bad("the URL's port is no number from 1 to 65535");
  into.port = static_cast<std::uint16_t>(port);
  return {};
}

Status read_ipv6(std::string_view text, Url& into) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) return bad("the URL's IPv6 address has no closing \"]\"");
  const std::string address(text.substr(1, close - 1));
  in6_addr binary{};
  if (inet_pton(AF_INET6, address.c_str(), &binary) != 1)
    return bad("the URL's host in brackets is no IPv6 address");
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  into.host = inet_ntop(AF_INET6, &binary, canonical.data(), canonical.size());
  const std::string_view after = text.substr(close + 1);
  if (after.empty()) return {};
  if (!after.starts_with(':')) return bad("something other than a port follows the URL's host");
  return read_port(after.substr(1), into);
}

Status read_host(std::string_view text, Url& into) {
  if (text.starts_with('[')) return read_ipv6(text, into);
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (host.empty()) return bad("the URL has no host", "write it as https://host/path");
  if (host.size() > kLongestHost) return bad("the URL's host name is too long");
  for (const char c : host) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return bad("the URL's host holds letters beyond ASCII", "write it in its xn-- form");
    }
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '.' && c != '_')
      return bad("the URL's host holds a character that no host name has");
  }
  into.host = lower(host);
  return colon == std::string_view::npos ? Status{} : read_port(text.substr(colon + 1), into);
}

Status read_credentials(std::string_view text, Url& into) {
  const std::size_t colon = text.find(':');
  const bool good =
      percent_decode(text.substr(0, colon), into.user) &&
      (colon == std::string_view::npos || percent_decode(text.substr(colon + 1), into.password));
  if (!good) {
    return bad("user or password of the URL holds a \"%\" without two hexadecimal digits",
               "write a percent sign as %25");
  }
  return {};
}

// What stands behind "//".
Status read_hierarchy(std::string_view text, Url& into) {
  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    STREAMD_TRY(read_credentials(authority.substr(0, at), into));
    authority.remove_prefix(at + 1);
  }
  into.port = into.tls ? 443 : 80;
  STREAMD_TRY(read_host(authority, into));
  return read_target(text.substr(end), into);
}

// The length of "scheme:" at the beginning; 0: there is none.
std::size_t scheme_length(std::string_view text) {
  if (text.empty() || !is_alpha(text[0])) return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') return i + 1;
    if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return 0;
  }
  return 0;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const std::size_t length = scheme_length(text);
  const std::string scheme = lower(text.substr(0, length));
  const std::string_view rest = text.substr(length);
  if ((scheme != "http:" && scheme != "https:") || !rest.starts_with("//")) {
    return bad("the URL does not begin with http:// or https://", "write it as https://host/path");
  }
  Url url;
  url.tls = scheme == "https:";
  if (auto status = read_hierarchy(rest.substr(2), url); !status)
    return tl::unexpected(std::move(status).error());
  return url;
}

std::string Url::host_port() const { return fmt::format("{}:{}", bracketed(host), port); }

std::string Url::authority() const {
  return port == (tls ? 443 : 80) ? bracketed(host) : host_port();
}

std::string Url::origin() const { return fmt::format("{}://{}", scheme(), authority()); }

std::string Url::text() const { return origin() + target; }

std::string_view Url::path() const {
  const std::string_view all = target;
  return all.substr(0, all.find('?'));
}

Url Url::with_target(std::string new_target) const {
  Url other = *this;
  other.target = std::move(new_target);
  return other;
}

Url Url::below(std::string_view more) const {
  std::string whole(path());
  while (whole.ends_with('/')) whole.pop_back();
  if (!more.starts_with('/')) whole += '/';
  return with_target(whole.append(more));
}

Result<Url> join(const Url& base, std::string_view reference) {
  while (!reference.empty() && reference.front() == ' ') reference.remove_prefix(1);
  while (!reference.empty() && reference.back() == ' ') reference.remove_suffix(1);
  Url next = base;
  if (scheme_length(reference) > 0) {
    auto parsed = Url::parse(reference);
    if (!parsed) return parsed;
    next = std::move(*parsed);
  } else if (reference.starts_with("//")) {
    if (auto status = read_hierarchy(reference.substr(2), next); !status)
      return tl::unexpected(std::move(status).error());
  } else {
    std::string target;
    const std::string_view path = base.path();
    if (reference.empty() || reference[0] == '#') {
      target = base.target;
    } else if (reference[0] == '/') {
      target = reference;
    } else if (reference[0] == '?') {
      target.append(path).append(reference);
    } else {
      target.append(path.substr(0, path.rfind('/') + 1)).append(reference);
    }
    if (auto status = read_target(target, next); !status)
      return tl::unexpected(std::move(status).error());
  }
  const bool same = next.same_origin(base);
  next.user = same ? base.user : std::string{};
  next.password = same ? base.password : std::string{};
  return next;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c))
      out += c;
    else
      append_escaped(c, out);
  }
  return out;
}

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (!is_escape(text, i)) return false;
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return true;
}

std::string query(const QueryItems& items) {
  std::string out;
  for (const auto& [key, value] : items) {
    if (!out.empty()) out += '&';
    out.append(percent_encode(key)).append(1, '=').append(percent_encode(value));
  }
  return out;
}

std::string with_query(std::string target, const QueryItems& items) {
  if (items.empty()) return target;
  if (target.find('?') == std::string::npos)
    target += '?';
  else if (!target.ends_with('?') && !target.ends_with('&'))
    target += '&';
  return target + query(items);
}

std::string redacted(std::string_view text) {
  const auto url = Url::parse(text);
  if (!url) return "(no URL)";
  const bool bare = url->target == "/" && !url->has_credentials();
  return bare ? url->origin() + '/' : url->origin() + "/…";
}

}  // namespace streamd::http
