// SPDX-License-Identifier: Apache-2.0
// Tls: certificates and rules of one client's TLS connections, and what their errors mean. Private:
// includes OpenSSL and Asio.
#pragma once

#include "engine/core/error.h"
#include "engine/io/http/client.h"
#include "engine/io/http/fault.h"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>

#include <memory>
#include <string>

namespace streamd::http {

// Immutable after make(); any thread.
class Tls {
 public:
  static Result<std::unique_ptr<Tls>> make(const ClientOptions& options);

  boost::asio::ssl::context& context() { return context_; }
  // Name for SNI, and what the certificate must be for. False: OpenSSL does not take the name.
  bool prepare(SSL* session, const std::string& host) const;

 private:
  explicit Tls(bool verify);
  boost::asio::ssl::context context_;
  bool verify_;
};

// Reads the PEM files that `options` name into the context.
Status load_certificates(boost::asio::ssl::context& context, const ClientOptions& options);

// Why a handshake or a later read failed. `session` tells what was wrong with the certificate.
Trouble tls_trouble(const boost::system::error_code& code, SSL* session);

}  // namespace streamd::http
