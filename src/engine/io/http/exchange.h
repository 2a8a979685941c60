// SPDX-License-Identifier: Apache-2.0
// Exchange: one request and the head of its answer over a connection of the pool, with the second
// attempt where the pool's connection was dead. Private.
#pragma once

#include "engine/io/http/answer.h"
#include "engine/io/http/pool.h"
#include "engine/io/http/proxy.h"
#include "engine/io/http/tls.h"

#include <atomic>
#include <memory>
#include <string>

namespace streamd::http {

// What a client is made of. Thread-safe; shared with its streams.
struct Parts {
  Parts(ClientOptions given, ProxyRules rules, std::unique_ptr<Tls> certificates,
        const Clock& injected)
      : options(std::move(given)),
        proxies(std::move(rules)),
        tls(std::move(certificates)),
        names(std::make_shared<Names>(options.resolve)),
        pool(std::make_shared<Pool>(options.connections_per_host, options.keep_alive_idle,
                                    injected)),
        clock(injected) {}

  const ClientOptions options;
  const ProxyRules proxies;
  const std::unique_ptr<Tls> tls;
  const std::shared_ptr<Names> names;
  const std::shared_ptr<Pool> pool;
  const Clock& clock;
  std::atomic<std::uint64_t> connections_made{0};
};

// A request as it goes out; changes with each redirect.
struct Outgoing {
  std::string method;
  Url url;
  Headers headers;
  const std::string* body = nullptr;  // never null; encoded
  bool repeatable = false;            // may be sent twice
};

// A connection with an answer under way on it.
struct Exchange {
  Pool::Slot slot;
  std::unique_ptr<Answer> answer;
};

// Refuses what can't be sent or would say something else on the wire.
Try<void> check(const Outgoing& out);
// The request line and the headers.
std::string head_of(const Outgoing& out, const Route& route);
// Sends and reads up to the end of the headers.
Try<Exchange> exchange(Parts& parts, const Outgoing& out, const Wait& wait);

}  // namespace streamd::http
