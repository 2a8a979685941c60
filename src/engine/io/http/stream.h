// SPDX-License-Identifier: Apache-2.0
// OpenStream: the Stream that Client::open gives out. Private.
#pragma once

#include "engine/io/http/body.h"
#include "engine/io/http/client.h"
#include "engine/io/http/exchange.h"

#include <memory>
#include <optional>
#include <string>

namespace streamd::http {

class OpenStream final : public Stream {
 public:
  OpenStream(std::shared_ptr<Parts> parts, Exchange exchange, std::unique_ptr<BodyDecoder> decoder,
             std::optional<Duration> retry_after, std::string shown, std::stop_token stop)
      : parts_(std::move(parts)),
        exchange_(std::move(exchange)),
        decoder_(std::move(decoder)),
        retry_after_(retry_after),
        shown_(std::move(shown)),
        stop_(std::move(stop)) {}

  int status() const override { return exchange_.answer->status(); }
  const Headers& headers() const override { return exchange_.answer->headers(); }
  std::optional<Duration> retry_after() const override { return retry_after_; }
  Result<Piece> read(char* to, std::size_t capacity, Duration timeout) override;
  std::string rest(std::size_t limit, Duration timeout) override;

 private:
  // Waits for something to hand out, the end or the deadline.
  Try<void> fill(const Wait& wait);

  const std::shared_ptr<Parts> parts_;
  Exchange exchange_;
  const std::unique_ptr<BodyDecoder> decoder_;
  const std::optional<Duration> retry_after_;
  const std::string shown_;
  const std::stop_token stop_;
  std::string ready_;      // decoded
  std::size_t taken_ = 0;  // of ready_, by the caller
  bool ended_ = false;
};

}  // namespace streamd::http
