// SPDX-License-Identifier: Apache-2.0
// Url: an http or https address (RFC 3986), taken apart. Plain data, owns its strings. Nothing here
// repeats user input in an error: a URL may hold a secret in any of its parts.
#pragma once

#include "engine/core/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::http {

struct Url {
  bool tls = false;            // https
  std::string host;            // lower case; an IPv6 address without brackets
  std::uint16_t port = 80;     // the scheme's own when none is written
  std::string target = "/";    // path and query as they are sent; begins with "/"; no fragment
  std::string user, password;  // taken out of the authority, percent-decoded; never shown

  bool operator==(const Url&) const = default;

  // https://user:secret@host:8443/path?query#fragment. Blanks and bytes beyond ASCII in path and
  // query are percent-encoded, dot segments removed. Error (config): what is wrong, without the
  // text.
  static Result<Url> parse(std::string_view text);

  const char* scheme() const { return tls ? "https" : "http"; }
  // "host:port", an IPv6 host in brackets: what errors and logs may show.
  std::string host_port() const;
  // The Host header: without the scheme's default port.
  std::string authority() const;
  // "https://host:8443": scheme and authority, what decides about credentials.
  std::string origin() const;
  // The whole URL without user and password. Path and query may be secret: not for logs.
  std::string text() const;
  // Path without query.
  std::string_view path() const;

  bool has_credentials() const { return !user.empty() || !password.empty(); }
  bool same_origin(const Url& other) const {
    return tls == other.tls && port == other.port && host == other.host;
  }
  // Another target on the same host, credentials kept: with_target("/_bulk?pipeline=x"). `target`
  // begins with "/" and is encoded already.
  Url with_target(std::string target) const;
  // The path continued: `below` of "http://es/prefix/" and "_bulk" is /prefix/_bulk. The query is
  // dropped. `path` is encoded already.
  Url below(std::string_view path) const;
};

// The URL that `reference` (absolute, //host/path, /path, path, ?query) means on the page `base`
// (RFC 3986 section 5). Credentials of `base` stay while the origin does; those that are written in
// `reference` are ignored: a far side must not choose them.
Result<Url> join(const Url& base, std::string_view reference);

// Every byte that is not unreserved (letters, digits, - . _ ~) as %XX: fit for one path segment, a
// query's key or value.
std::string percent_encode(std::string_view text);
// false: a "%" without two hexadecimal digits; `out` is unspecified then.
bool percent_decode(std::string_view text, std::string& out);

// "a=1&b=x%20y", in the given order.
using QueryItems = std::vector<std::pair<std::string, std::string>>;
std::string query(const QueryItems& items);
// `target` with further query items.
std::string with_query(std::string target, const QueryItems& items);

// What may be shown of a text that should be a URL: scheme, host and port, "…" for the rest.
// "(no URL)" when it is none.
std::string redacted(std::string_view text);

}  // namespace streamd::http
