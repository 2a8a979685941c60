// SPDX-License-Identifier: Apache-2.0
// HttpConfig: the options that every component that speaks HTTP has, declared once. A component's
// config derives from it and its Spec gets the fields from with_http_fields:
//
//   struct ElasticsearchConfig : http::HttpConfig { http::Url url; std::string index; };
//   auto spec = Spec<ElasticsearchConfig>("elasticsearch").summary("…")
//       .field(&C::url, {.name = "url", .required = true, .secret = true, …});
//   http::with_http_fields(spec);
//
// A field of type Url is parsed and checked with its place; its text is never repeated.
#pragma once

#include "engine/api/spec.h"
#include "engine/io/http/client.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd::http {

struct TlsConfig {
  std::string ca, cert, key;
  bool insecure = false;
};
struct BasicAuthConfig {
  std::string user, password;
};
// A header of the file: name and value are checked when the file is read.
struct HeaderList {
  std::vector<std::pair<std::string, std::string>> fields;
};

struct HttpConfig {
  TlsConfig tls;
  std::string proxy;
  Duration timeout = Duration::from_seconds(30);
  Duration connect_timeout = Duration::from_seconds(10);
  HeaderList headers;
  std::optional<BasicAuthConfig> basic;
  std::string bearer;
};

// What a component has of its own kind of login (an API key, a webhook's secret URL) it declares
// itself and leaves these away.
enum class Login : std::uint8_t { basic_or_bearer, own };

// The client's options: certificates, proxy, time-outs.
ClientOptions options_of(const HttpConfig& config);
// Adds the configured headers and Authorization to a request. Headers that the request already has
// stay.
void authorize(const HttpConfig& config, Request& request);

// The documentation of one shared field; used by with_http_fields.
FieldDoc http_field_doc(const std::string& name);

template <class C>
void with_http_fields(Spec<C>& spec, Login login = Login::basic_or_bearer) {
  const auto add = [&spec]<class T>(T HttpConfig::*member, const char* name) {
    spec.field(static_cast<T C::*>(member), http_field_doc(name));
  };
  if (login == Login::basic_or_bearer) {
    add(&HttpConfig::basic, "basic");
    add(&HttpConfig::bearer, "bearer");
    spec.rule("bearer must be text without line ends",
              [](const C& c) { return is_header_value(c.bearer); });
    spec.rule("basic and bearer exclude each other",
              [](const C& c) { return !c.basic || c.bearer.empty(); });
  }
  add(&HttpConfig::headers, "headers");
  add(&HttpConfig::tls, "tls");
  add(&HttpConfig::proxy, "proxy");
  add(&HttpConfig::timeout, "timeout");
  add(&HttpConfig::connect_timeout, "connect_timeout");
  spec.rule("timeout and connect_timeout must be longer than 0",
            [](const C& c) { return c.timeout > Duration{} && c.connect_timeout > Duration{}; });
  spec.rule("tls.cert and tls.key belong together",
            [](const C& c) { return c.tls.cert.empty() == c.tls.key.empty(); });
}

}  // namespace streamd::http

namespace streamd {

template <>
struct NestedSpec<http::TlsConfig> {
  static const Spec<http::TlsConfig>& spec();
};
template <>
struct NestedSpec<http::BasicAuthConfig> {
  static const Spec<http::BasicAuthConfig>& spec();
};

// `url: https://…`; a ${VAR} in it stays secret.
template <>
struct FieldType<http::Url> {
  static bool read(const ConfigNode& node, http::Url& into, Diagnostics& problems);
  static std::string name() { return "URL"; }
  static std::string json_schema();
  static std::string show(const http::Url&) { return ""; }
};
template <>
struct FieldType<http::HeaderList> {
  static bool read(const ConfigNode& node, http::HeaderList& into, Diagnostics& problems);
  static std::string name() { return "map of text"; }
  static std::string json_schema();
  static std::string show(const http::HeaderList&) { return ""; }
};

}  // namespace streamd
