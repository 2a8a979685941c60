// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

namespace streamd::http {
namespace {

namespace ssl = boost::asio::ssl;

bool is_address(const std::string& host) {
  in6_addr binary{};
  return inet_pton(AF_INET, host.c_str(), &binary) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &binary) == 1;
}

Status unusable(const char* what, const std::string& file, const boost::system::error_code& code) {
  if (!code) return {};
  return fail(ErrorKind::config,
              fmt::format("{} \"{}\" can't be used: {}", what, file, code.message()),
              "it must be a readable PEM file");
}

}  // namespace

Status load_certificates(ssl::context& context, const ClientOptions& options) {
  boost::system::error_code code;
  if (options.ca_file.empty()) {
    context.set_default_verify_paths(code);
    if (code) return fail(ErrorKind::config, "the system's certificates can't be read");
  } else {
    context.load_verify_file(options.ca_file, code);
    STREAMD_TRY(unusable("the CA file", options.ca_file, code));
  }
  if (options.cert_file.empty() && options.key_file.empty()) return {};
  context.use_certificate_chain_file(options.cert_file, code);
  STREAMD_TRY(unusable("the certificate file", options.cert_file, code));
  // A key with a pass phrase would otherwise be asked for on the terminal.
  SSL_CTX_set_default_passwd_cb(context.native_handle(), [](char*, int, int, void*) { return -1; });
  context.use_private_key_file(options.key_file, ssl::context::pem, code);
  STREAMD_TRY(unusable("the key file", options.key_file, code));
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return fail(ErrorKind::config,
                fmt::format("the key \"{}\" does not belong to the certificate \"{}\"",
                            options.key_file, options.cert_file));
  }
  return {};
}

namespace {

Trouble bad_certificate(long verdict) {
  const auto say = [](const char* what, const char* hint) {
    return Trouble{Fault::certificate, what, hint, false};
  };
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return say("the server's certificate has expired",
                 "renew it there, and check the clock of this machine");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return say("the server's certificate is not valid yet", "check the clock of this machine");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return say("the server's certificate is for another host",
                 "use the host name that the certificate holds");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return say("the server's certificate is signed by an authority that is not trusted",
                 "give the authority's certificate as tls.ca");
    case X509_V_ERR_CERT_REVOKED:
      return say("the server's certificate was revoked", "renew it there");
    default: {
      Trouble other = say("", "");
      other.what = fmt::format("the server's certificate is not accepted ({})",
                               X509_verify_cert_error_string(verdict));
      return other;
    }
  }
}

bool is_about_our_certificate(int reason) {
  switch (reason) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return true;
    default: return false;
  }
}

}  // namespace

Tls::Tls(bool verify) : context_(ssl::context::tls_client), verify_(verify) {}

Result<std::unique_ptr<Tls>> Tls::make(const ClientOptions& options) {
  std::unique_ptr<Tls> tls;
  try {
    tls.reset(new Tls(!options.insecure_skip_verify));
  } catch (const std::exception&) {
    return fail(ErrorKind::internal, "OpenSSL can't be set up");
  }
  SSL_CTX* const raw = tls->context_.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(raw, tls->verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const Status loaded = load_certificates(tls->context_, options);
  ERR_clear_error();
  if (!loaded) return tl::unexpected(loaded.error());
  return tls;
}

bool Tls::prepare(SSL* session, const std::string& host) const {
  X509_VERIFY_PARAM* const rules = SSL_get0_param(session);
  if (is_address(host)) return !verify_ || X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  // What the macro SSL_set_tlsext_host_name says, without its cast of the old style.
  std::string name = host;
  if (SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) != 1)
    return false;
  if (!verify_) return true;
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1;
}

Trouble tls_trouble(const boost::system::error_code& code, SSL* session) {
  const bool from_openssl = code.category() == boost::asio::error::get_ssl_category();
  const int reason = from_openssl ? ERR_GET_REASON(static_cast<unsigned long>(code.value())) : 0;
  if (from_openssl && reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return bad_certificate(SSL_get_verify_result(session));
  if (from_openssl && is_about_our_certificate(reason)) {
    return {Fault::certificate,
            fmt::format("the server refuses our certificate ({})", code.message()),
            "check tls.cert and tls.key", false};
  }
  if (from_openssl && reason == SSL_R_WRONG_VERSION_NUMBER) {
    return {Fault::tls, "the server does not speak TLS",
            "use http:// or the port that serves https"};
  }
  if (!from_openssl) return {Fault::closed, "the connection was closed during the TLS handshake"};
  return {Fault::tls, fmt::format("TLS failed: {}", code.message())};
}

}  // namespace streamd::http
