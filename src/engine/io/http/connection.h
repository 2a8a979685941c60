// SPDX-License-Identifier: Apache-2.0
// Connection: one TCP connection, with TLS when asked for, to an origin or its proxy. Private.
//
// Each has an Asio context of its own that runs only inside the calls, on the caller's thread: the
// calls are synchronous, end at a deadline, and a requested stop wakes them up at once.
#pragma once

#include "engine/io/http/names.h"
#include "engine/io/http/url.h"
#include "engine/io/http/wire.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace streamd::http {

class Tls;

// The way to an origin.
struct Route {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::optional<Url> proxy;
  std::string user_agent;

  // Same key, same connections.
  std::string key() const;
  std::string host_port() const;
  // Requests name the whole URL: a proxy without a tunnel.
  bool absolute_form() const { return proxy && !tls; }
};

// One thread at a time; may move to another between calls.
class Connection final : public Wire {
 public:
  // Tries the addresses in turn. `names` and `tls` outlive the connection.
  static Try<std::unique_ptr<Connection>> dial(const Route& route, Names& names, Tls& tls,
                                               const Wait& wait);
  ~Connection() override;

  Try<std::string_view> read(const Wait& wait) override;
  Try<void> write(std::string_view head, std::string_view body, const Wait& wait) override;

  // Bytes that the system took since the last call of begin_request().
  std::uint64_t sent() const;
  void begin_request();
  // An idle connection that the far side has not closed and on which nothing unasked has come.
  bool usable() const;

 private:
  struct Inside;
  Connection();
  Try<void> tunnel(const Route& route, const Wait& wait);
  std::unique_ptr<Inside> inside_;
};

// "Basic " and user and password of the URL in Base64.
std::string basic_credentials(const Url& url);

}  // namespace streamd::http
