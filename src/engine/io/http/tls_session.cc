// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/tls_session.h"

#include "engine/io/http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace streamd::http {
namespace {

namespace ssl = boost::asio::ssl;

ClientOptions files_of(const TlsConfig& config) {
  ClientOptions options;
  options.ca_file = config.ca;
  options.cert_file = config.cert;
  options.key_file = config.key;
  options.insecure_skip_verify = config.insecure;
  return options;
}

class ServerRules final : public TlsRules {
 public:
  ServerRules() : context(ssl::context::tls_server) {}
  mutable ssl::context context;
};

class ClientRules final : public TlsRules {
 public:
  explicit ClientRules(std::unique_ptr<Tls> rules) : tls(std::move(rules)) {}
  std::unique_ptr<Tls> tls;
};

struct FreeSession {
  void operator()(SSL* session) const { SSL_free(session); }
};
using Session = std::unique_ptr<SSL, FreeSession>;

class Connection final : public TlsSession {
 public:
  Connection(std::shared_ptr<const TlsRules> rules, Session session, bool server)
      : rules_(std::move(rules)), session_(std::move(session)), server_(server) {}

  Step handshake() override {
    ERR_clear_error();
    const int result = SSL_do_handshake(session_.get());
    return result == 1 ? Step::done : step(result, "TLS handshake");
  }
  Step read(char* to, std::size_t room, std::size_t& got) override {
    ERR_clear_error();
    const int result = SSL_read_ex(session_.get(), to, room, &got);
    return result == 1 ? Step::done : step(result, "reading over TLS");
  }
  Step write(const char* from, std::size_t size, std::size_t& put) override {
    ERR_clear_error();
    const int result = SSL_write_ex(session_.get(), from, size, &put);
    return result == 1 ? Step::done : step(result, "writing over TLS");
  }
  bool has_more() const override { return SSL_pending(session_.get()) > 0; }
  void finish() override {
    ERR_clear_error();
    if (!broken_ && SSL_is_init_finished(session_.get()) != 0) SSL_shutdown(session_.get());
    ERR_clear_error();
  }
  const Error& trouble() const override { return trouble_; }

 private:
  Step step(int result, const char* doing) {
    const int system = errno;
    switch (SSL_get_error(session_.get(), result)) {
      case SSL_ERROR_WANT_READ: return Step::wait_read;
      case SSL_ERROR_WANT_WRITE: return Step::wait_write;
      case SSL_ERROR_ZERO_RETURN: return Step::closed;
      case SSL_ERROR_SYSCALL:
        broken_ = true;
        trouble_ = {ErrorKind::external,
                    Retry::backoff,
                    fmt::format("{}: {}", doing,
                                system == 0 ? "the connection was closed" : std::strerror(system)),
                    {}};
        return Step::failed;
      default: break;
    }
    broken_ = true;
    explain(doing);
    ERR_clear_error();
    return Step::failed;
  }

  void explain(const char* doing) {
    const unsigned long code = ERR_peek_error();
    if (!server_) {
      const Trouble found = tls_trouble(
          {static_cast<int>(code), boost::asio::error::get_ssl_category()}, session_.get());
      trouble_ = {ErrorKind::external, found.heals ? Retry::backoff : Retry::never, found.what,
                  found.hint};
      return;
    }
    const char* const reason = ERR_reason_error_string(code);
    trouble_ = {ErrorKind::external,
                Retry::backoff,
                fmt::format("{}: {}", doing, reason == nullptr ? "protocol error" : reason),
                {}};
  }

  const std::shared_ptr<const TlsRules> rules_;
  const Session session_;
  const bool server_;
  bool broken_ = false;
  Error trouble_;
};

std::unique_ptr<TlsSession> over(std::shared_ptr<const TlsRules> rules, SSL_CTX* context,
                                 int descriptor, bool server, const Tls* client,
                                 const std::string& host) {
  ERR_clear_error();
  Session session(SSL_new(context));
  if (!session || SSL_set_fd(session.get(), descriptor) != 1) return nullptr;
  SSL_set_mode(session.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  if (server) {
    SSL_set_accept_state(session.get());
  } else {
    SSL_set_connect_state(session.get());
    if (!client->prepare(session.get(), host)) return nullptr;
  }
  return std::make_unique<Connection>(std::move(rules), std::move(session), server);
}

}  // namespace

Result<std::shared_ptr<const TlsRules>> tls_server_rules(const TlsConfig& config) {
  std::shared_ptr<ServerRules> rules;
  try {
    rules = std::make_shared<ServerRules>();
  } catch (const std::exception&) {
    return fail(ErrorKind::internal, "OpenSSL can't be set up");
  }
  SSL_CTX* const raw = rules->context.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(
      raw, config.ca.empty() ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
      nullptr);
  constexpr unsigned char kName[] = "streamd";
  SSL_CTX_set_session_id_context(raw, kName, sizeof kName - 1);
  const Status loaded = load_certificates(rules->context, files_of(config));
  ERR_clear_error();
  if (!loaded) return tl::unexpected(loaded.error());
  return rules;
}

Result<std::shared_ptr<const TlsRules>> tls_client_rules(const TlsConfig& config) {
  auto tls = Tls::make(files_of(config));
  if (!tls) return tl::unexpected(std::move(tls).error());
  return std::make_shared<ClientRules>(std::move(*tls));
}

std::unique_ptr<TlsSession> tls_accept(std::shared_ptr<const TlsRules> rules, int descriptor) {
  SSL_CTX* const context = static_cast<const ServerRules&>(*rules).context.native_handle();
  return over(std::move(rules), context, descriptor, true, nullptr, {});
}

std::unique_ptr<TlsSession> tls_connect(std::shared_ptr<const TlsRules> rules, int descriptor,
                                        const std::string& host) {
  Tls* const tls = static_cast<const ClientRules&>(*rules).tls.get();
  SSL_CTX* const context = tls->context().native_handle();
  return over(std::move(rules), context, descriptor, false, tls, host);
}

}  // namespace streamd::http
