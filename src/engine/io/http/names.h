// SPDX-License-Identifier: Apache-2.0
// Names: looks up addresses on helper threads that nobody waits for, as getaddrinfo can't be
// stopped. Callers that want the same name at the same time share one look-up. Private.
#pragma once

#include "engine/io/http/client.h"
#include "engine/io/http/fault.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace streamd::http {

// Thread-safe. Kept alive by the look-ups under way.
class Names : public std::enable_shared_from_this<Names> {
 public:
  using Resolve = decltype(ClientOptions::resolve);
  explicit Names(Resolve resolve) : resolve_(std::move(resolve)) {}

  // At least one address. A host that is an address already is returned as it is.
  Try<std::vector<std::string>> look_up(const std::string& host, const Wait& wait);

 private:
  struct LookUp;
  std::shared_ptr<LookUp> begin(const std::string& host);
  Try<std::vector<std::string>> ask(const std::string& host) const;

  const Resolve resolve_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<LookUp>> under_way_;
};

}  // namespace streamd::http
