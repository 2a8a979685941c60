// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/proxy.h"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdlib>

namespace streamd::http {
namespace {

struct Address {
  std::array<unsigned char, 16> bytes{};
  unsigned bits = 0;  // 0: no address
};

Address address_of(const std::string& text) {
  Address a;
  if (inet_pton(AF_INET, text.c_str(), a.bytes.data()) == 1)
    a.bits = 32;
  else if (inet_pton(AF_INET6, text.c_str(), a.bytes.data()) == 1)
    a.bits = 128;
  return a;
}

bool in_network(std::string_view network, const std::string& host) {
  const std::size_t slash = network.find('/');
  const Address own = address_of(host);
  const Address base = address_of(std::string(network.substr(0, slash)));
  if (own.bits == 0 || own.bits != base.bits) return false;
  unsigned length = own.bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = network.substr(slash + 1);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (code != std::errc{} || end != digits.data() + digits.size() || length > own.bits)
      return false;
  }
  for (unsigned bit = 0; bit < length; ++bit) {
    const unsigned mask = 0x80u >> bit % 8;
    if ((own.bytes[bit / 8] & mask) != (base.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

std::vector<std::string> entries_of(const std::string& list) {
  std::vector<std::string> out(1);
  for (char c : list) {
    if (c == ',' || c == ' ' || c == '\t') {
      if (!out.back().empty()) out.emplace_back();
    } else {
      out.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

Status read_proxy(const std::string& text, const std::string& from, std::optional<Url>& into) {
  if (text.empty()) return {};
  // curl and others also take a bare host:port.
  auto url = Url::parse(text.find("://") == std::string::npos ? "http://" + text : text);
  if (!url || url->tls) {
    return fail(ErrorKind::config, from + " is no URL of a proxy that can be used",
                "write it as http://host:port or http://user:password@host:port");
  }
  into = std::move(*url);
  return {};
}

Status read_environment(const ProxyRules::Environment& environment, const char* lower,
                        const char* upper, std::optional<Url>& into) {
  for (const char* name : {lower, upper, "all_proxy", "ALL_PROXY"}) {
    if (name == nullptr) continue;
    if (const std::string text = environment(name); !text.empty())
      return read_proxy(text, std::string("the environment's ") + name, into);
  }
  return {};
}

}  // namespace

bool matches_no_proxy(std::string_view entry, const Url& url) {
  if (entry == "*") return true;
  if (in_network(entry, url.host)) return true;
  if (const std::size_t colon = entry.rfind(':'); colon != std::string_view::npos) {
    if (entry.substr(colon + 1) != std::to_string(url.port)) return false;
    entry = entry.substr(0, colon);
    if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
    if (in_network(entry, url.host)) return true;
  }
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  const std::string_view host = url.host;
  if (entry.empty() || !host.ends_with(entry)) return false;
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

ProxyRules::Environment ProxyRules::system() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

Result<ProxyRules> ProxyRules::make(const std::string& setting, const Environment& environment) {
  ProxyRules rules;
  if (setting == "none") return rules;
  Status status;
  if (!setting.empty()) {
    status = read_proxy(setting, "proxy", rules.plain_);
    rules.tls_ = rules.plain_;
  } else {
    // HTTP_PROXY in capitals may come from a request's header where a program runs as CGI.
    status = read_environment(environment, "http_proxy", nullptr, rules.plain_);
    if (status) status = read_environment(environment, "https_proxy", "HTTPS_PROXY", rules.tls_);
    std::string direct = environment("no_proxy");
    if (direct.empty()) direct = environment("NO_PROXY");
    rules.direct_ = entries_of(direct);
  }
  if (!status) return tl::unexpected(std::move(status).error());
  return rules;
}

const Url* ProxyRules::proxy_for(const Url& url) const {
  for (const std::string& entry : direct_)
    if (matches_no_proxy(entry, url)) return nullptr;
  const std::optional<Url>& proxy = url.tls ? tls_ : plain_;
  return proxy ? &*proxy : nullptr;
}

}  // namespace streamd::http
