// SPDX-License-Identifier: Apache-2.0
// TlsSession: TLS over a socket that never blocks, for protocols other than HTTP, either side. The
// caller waits for the socket; nothing here does.
#pragma once

#include "engine/core/error.h"
#include "engine/io/http/config.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace streamd::http {

// Certificates and rules, shared by sessions. Immutable; any thread.
class TlsRules {
 public:
  virtual ~TlsRules() = default;
};
// cert and key: who we are. With `ca` only clients with a certificate of that authority come in.
Result<std::shared_ptr<const TlsRules>> tls_server_rules(const TlsConfig& config);
// ca: whom we trust, without it whom the system trusts; cert and key: who we are, if asked.
Result<std::shared_ptr<const TlsRules>> tls_client_rules(const TlsConfig& config);

// One connection; one thread at a time. The socket stays the caller's and outlives the session.
class TlsSession {
 public:
  enum class Step : std::uint8_t {
    done,
    wait_read,   // call again when the socket can be read
    wait_write,  // … written
    closed,      // the far side has finished
    failed,      // see trouble()
  };
  virtual ~TlsSession() = default;
  virtual Step handshake() = 0;
  // done: 1 to `room` bytes.
  virtual Step read(char* to, std::size_t room, std::size_t& got) = 0;
  virtual Step write(const char* from, std::size_t size, std::size_t& put) = 0;
  // Whether read() has something without the socket.
  virtual bool has_more() const = 0;
  // Tells the far side that nothing follows, if the socket takes it at once.
  virtual void finish() = 0;
  // What went wrong: message and hint; Retry::never when a person has to do something.
  virtual const Error& trouble() const = 0;
};

// nullptr: OpenSSL has no memory for it.
std::unique_ptr<TlsSession> tls_accept(std::shared_ptr<const TlsRules> rules, int descriptor);
// host: what the certificate must be for.
std::unique_ptr<TlsSession> tls_connect(std::shared_ptr<const TlsRules> rules, int descriptor,
                                        const std::string& host);

}  // namespace streamd::http
