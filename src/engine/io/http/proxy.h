// SPDX-License-Identifier: Apache-2.0
// ProxyRules: which requests go through which proxy. Private.
#pragma once

#include "engine/io/http/url.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::http {

// Immutable after make(); any thread.
class ProxyRules {
 public:
  using Environment = std::function<std::string(const char* name)>;  // "" = not set
  // `setting` as in ClientOptions::proxy.
  static Result<ProxyRules> make(const std::string& setting, const Environment& environment);
  // The process's own environment.
  static Environment system();

  const Url* proxy_for(const Url& url) const;

 private:
  std::optional<Url> plain_, tls_;
  std::vector<std::string> direct_;  // entries of no_proxy, lower case
};

// Whether an entry of no_proxy means the host: "*", a name or its domain (with or without leading
// dot), an address, a network ("10.0.0.0/8"), each with ":port" or without.
bool matches_no_proxy(std::string_view entry, const Url& url);

}  // namespace streamd::http
