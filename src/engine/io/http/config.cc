// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/config.h"

#include "engine/codec/base64.h"

#include <array>

namespace streamd {
namespace http {
namespace {

const std::array<FieldDoc, 7>& shared_fields() {
  static const std::array<FieldDoc, 7> docs = {{
      {.name = "basic",
       .help = "Login with user and password (Authorization: Basic).",
       .secret = true,
       .examples = {"{user: streamd, password: \"${PASSWORD}\"}"}},
      {.name = "bearer",
       .help = "Login with a token (Authorization: Bearer).",
       .secret = true,
       .examples = {"${TOKEN}"}},
      {.name = "headers",
       .help = "Further header fields of each request.",
       .secret = true,
       .advanced = true,
       .examples = {"{X-Scope: team-a}"}},
      {.name = "tls",
       .help = "Certificates; the system's are trusted when nothing is given.",
       .examples = {"{ca: /etc/ssl/our-ca.pem}"}},
      {.name = "proxy",
       .help = "`http://user:password@host:port`, or `none`. When it is not given, http_proxy, "
               "https_proxy, all_proxy and no_proxy of the environment are.",
       .secret = true,
       .advanced = true,
       .examples = {"http://proxy.example:3128"}},
      {.name = "timeout",
       .help = "How long an answer may take, from the first byte sent to the last received.",
       .examples = {"1m"}},
      {.name = "connect_timeout",
       .help = "How long a connection may take: name, TCP, proxy and TLS together.",
       .advanced = true,
       .examples = {"5s"}},
  }};
  return docs;
}

}  // namespace

FieldDoc http_field_doc(const std::string& name) {
  for (const FieldDoc& doc : shared_fields())
    if (doc.name == name) return doc;
  return {.name = name, .help = ""};
}

ClientOptions options_of(const HttpConfig& config) {
  ClientOptions options;
  options.ca_file = config.tls.ca;
  options.cert_file = config.tls.cert;
  options.key_file = config.tls.key;
  options.insecure_skip_verify = config.tls.insecure;
  options.proxy = config.proxy;
  options.timeout = config.timeout;
  options.connect_timeout = config.connect_timeout;
  return options;
}

void authorize(const HttpConfig& config, Request& request) {
  for (const auto& [name, value] : config.headers.fields)
    if (!request.headers.has(name)) request.headers.add(name, value);
  if (request.headers.has("Authorization")) return;
  if (config.basic) {
    request.headers.add("Authorization", "Basic " + base64_encode(config.basic->user + ':' +
                                                                  config.basic->password));
  } else if (!config.bearer.empty()) {
    request.headers.add("Authorization", "Bearer " + config.bearer);
  }
}

}  // namespace http

const Spec<http::TlsConfig>& NestedSpec<http::TlsConfig>::spec() {
  using C = http::TlsConfig;
  static const Spec<C> spec =
      Spec<C>("tls")
          .field(&C::ca, {.name = "ca",
                          .help = "PEM file of the authorities to trust instead of the system's.",
                          .examples = {"/etc/ssl/our-ca.pem"}})
          .field(&C::cert, {.name = "cert",
                            .help = "PEM file with our own certificate, when the server wants one.",
                            .examples = {"/etc/streamd/client.pem"}})
          .field(&C::key, {.name = "key",
                           .help = "PEM file with the key of `cert`.",
                           .examples = {"/etc/streamd/client.key"}})
          .field(&C::insecure,
                 {.name = "insecure",
                  .help = "Takes any certificate: whoever is in between can read and change "
                          "everything. Only to try something out.",
                  .advanced = true});
  return spec;
}

const Spec<http::BasicAuthConfig>& NestedSpec<http::BasicAuthConfig>::spec() {
  using C = http::BasicAuthConfig;
  static const Spec<C> spec =
      Spec<C>("basic login")
          .field(&C::user, {.name = "user", .help = "The user's name.", .required = true})
          .field(&C::password, {.name = "password",
                                .help = "The password.",
                                .required = true,
                                .secret = true,
                                .examples = {"${PASSWORD}"}})
          .rule("user must not hold a colon",
                [](const C& c) { return c.user.find(':') == std::string::npos; });
  return spec;
}

bool FieldType<http::Url>::read(const ConfigNode& node, http::Url& into, Diagnostics& problems) {
  if (node.shape != ConfigNode::Shape::scalar) {
    report_type(node, "a URL", problems);
    return false;
  }
  auto url = http::Url::parse(node.text);
  if (!url) {
    problems.error("bad-url", node.place, url.error().message, url.error().hint);
    return false;
  }
  into = std::move(*url);
  return true;
}

std::string FieldType<http::Url>::json_schema() { return R"({"type":"string"})"; }

bool FieldType<http::HeaderList>::read(const ConfigNode& node, http::HeaderList& into,
                                       Diagnostics& problems) {
  const std::size_t before = problems.errors();
  if (!FieldType<decltype(into.fields)>::read(node, into.fields, problems)) return false;
  for (const auto& [key, value] : node.entries) {
    if (!http::is_header_name(key.text)) {
      problems.error("bad-header", key.place, "this is no name of a header field",
                     "use letters, digits and hyphens");
    } else if (!http::is_header_value(value.text)) {
      problems.error("bad-header", value.place,
                     "the value of a header field holds a line end or a control character",
                     "remove it; a variable read from a file often ends with one");
    }
    for (const char* own : {"Host", "Content-Length", "Transfer-Encoding", "Connection"}) {
      if (http::same_token(key.text, own)) {
        problems.error("bad-header", key.place,
                       std::string("\"") + own + "\" is written by streamd itself", "remove it");
      }
    }
  }
  return problems.errors() == before;
}

std::string FieldType<http::HeaderList>::json_schema() {
  return FieldType<std::vector<std::pair<std::string, std::string>>>::json_schema();
}

}  // namespace streamd
