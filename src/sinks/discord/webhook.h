// SPDX-License-Identifier: Apache-2.0
// One Discord webhook: its address, its pace, and what its answers mean.
// https://discord.com/developers/docs/topics/rate-limits
#pragma once

#include "engine/core/clock.h"
#include "engine/io/delivery/destination.h"
#include "engine/io/http/client.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::discord {

// The address as it is called: with an API version in which seconds are seconds, and asking for an
// answer that says whether the message was stored. Error (config): it is no webhook's address; the
// text is not repeated.
Result<http::Url> webhook_url(const http::Url& given, std::string_view thread_id);

// When nobody may call, as the far side has said to any of us. Shared by all webhooks of a process;
// thread-safe.
struct GlobalPause {
  std::atomic<std::int64_t> until_micros{0};
};

// Keeps to what is known of the limits of a channel, also when no answer says so: five messages at
// once, thirty a minute.
class Pace {
 public:
  // How long to wait before a message at `now`; zero: go, and it counts.
  Duration ask(Duration now);

 private:
  Duration free_at_{};
};

struct Look {
  bool embed = false;
  std::string username, avatar;
};

class Webhook {
 public:
  Webhook(http::Url url, Look look, std::unique_ptr<http::Client> client, const Clock& clock,
          std::shared_ptr<GlobalPause> global)
      : url_(std::move(url)),
        look_(std::move(look)),
        client_(std::move(client)),
        clock_(clock),
        global_(std::move(global)) {}

  // Sends encoded alerts in as many messages as they need, and says what became of each. One
  // thread.
  delivery::Answer send(const std::vector<std::string_view>& alerts, std::stop_token stop);

 private:
  delivery::Answer post(const std::vector<std::string_view>& alerts, std::stop_token stop);
  delivery::Answer read(const http::Response& response, std::size_t count);
  delivery::Answer limited(const http::Response& response);
  delivery::Answer halves(const std::vector<std::string_view>& alerts, std::stop_token stop);

  http::Url url_;
  Look look_;
  std::unique_ptr<http::Client> client_;
  const Clock& clock_;
  std::shared_ptr<GlobalPause> global_;
  Pace pace_;
};

}  // namespace streamd::discord
