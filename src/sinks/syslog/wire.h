// SPDX-License-Identifier: Apache-2.0
// Wire: the connection of one syslog sink. Connects when there is something to send, and again
// when it broke. One thread at a time.
#pragma once

#include "engine/io/delivery/destination.h"
#include "engine/io/http/tls_session.h"
#include "engine/io/net/socket.h"
#include "sinks/syslog/config.h"

#include <memory>
#include <span>
#include <stop_token>
#include <string>

namespace streamd::syslog_out {

class Wire {
 public:
  // rules: for tls. config outlives this.
  Wire(const Config& config, std::shared_ptr<const http::TlsRules> rules);
  ~Wire();

  delivery::Answer send(std::span<const delivery::Item> items, const std::stop_token& stop);

 private:
  Status connect(const std::stop_token& stop);
  // What the far side has done since the last message: it may have closed.
  bool still_there();
  Status write_all(std::string_view bytes, const std::stop_token& stop);
  Status shake_hands(const std::stop_token& stop);
  Status wait(bool write, Duration limit, const std::stop_token& stop);
  delivery::Answer send_stream(std::span<const delivery::Item> items, const std::stop_token& stop);
  delivery::Answer send_datagrams(std::span<const delivery::Item> items,
                                  const std::stop_token& stop);
  void hang_up();

  const Config& config_;
  const std::shared_ptr<const http::TlsRules> rules_;
  net::Socket socket_;
  std::unique_ptr<http::TlsSession> tls_;
  std::string buffer_;
};

}  // namespace streamd::syslog_out
