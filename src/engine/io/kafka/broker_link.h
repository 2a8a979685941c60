// SPDX-License-Identifier: Apache-2.0
// BrokerLink: one connection to a broker for Fetch requests, one at a time. connect() runs on the
// group's control thread and may block; everything else on the worker's that reads from it, and
// never does. Included only in this folder.
#pragma once

#include "engine/core/time.h"
#include "engine/io/kafka/fetch_protocol.h"
#include "engine/io/net/socket.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::kafka {

class BrokerLink {
 public:
  // Connects and asks which versions the broker takes, each within `limit`. Errors name the address
  // and have Retry::backoff; Retry::never: the broker does not take our requests.
  static Result<std::unique_ptr<BrokerLink>> connect(std::int32_t broker, std::string host,
                                                     std::uint16_t port, Duration limit,
                                                     const std::stop_token& stop);

  std::int32_t broker() const { return broker_; }
  int descriptor() const { return socket_.descriptor(); }

  // Asks for these; no answer is under way. `now` is monotonic.
  void ask(const FetchLimits& limits, const std::vector<FetchWish>& wishes, Duration now);
  // An answer has been asked for and did not come as a whole yet.
  bool waiting() const { return waiting_; }
  // More of the request is to be sent: wait until the socket can be written to.
  bool sending() const { return sent_ < request_.size(); }
  // Sends and receives what can be without waiting. An Error: the connection is of no use any more.
  // Afterwards, when waiting() has become false, answer() is there until the next ask().
  Status serve(Duration now);
  // Without its length.
  FetchAnswer answer() const { return FetchAnswer({answer_.get(), size_}); }

 private:
  BrokerLink(std::int32_t broker, std::string name, net::Socket socket);
  Status handshake(Duration limit, const std::stop_token& stop);
  Status send();
  Status receive();
  Status receive_length();
  Status lost(const char* why, int code = 0) const;

  const std::int32_t broker_;
  const std::string name_;
  net::Socket socket_;
  std::int32_t correlation_ = 0;
  std::string request_;
  std::size_t sent_ = 0;
  bool waiting_ = false;
  Duration heard_at_{};  // monotonic; the request or the last bytes since
  char length_[kLengthBytes];
  std::size_t received_ = 0;  // of the length and the answer together
  std::unique_ptr<char[]> answer_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace streamd::kafka
