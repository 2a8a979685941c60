// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/stand_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace streamd::http {
namespace {

struct Answered {
  Response response;
  std::function<bool()> closed;
};

Result<Answered> answer_of(const StandIn& stand_in, const std::string& node, const Request& request,
                           EventTime now) {
  StandIn::Answer answer = stand_in.service({node, request.method, request.url.target});
  if (!answer.reachable || !answer.known)
    return fail_for_now(fmt::format("{} {} can't be reached",
                                    request.shown_as.empty() ? request.method : request.shown_as,
                                    request.url.host_port()));
  Answered answered;
  Response& response = answered.response;
  response.status = answer.status;
  for (auto& [name, value] : answer.headers)
    response.headers.add(std::move(name), std::move(value));
  response.body = std::move(answer.body);
  response.retry_after = answer.retry_after;
  if (!response.retry_after)
    response.retry_after = parse_retry_after(response.headers.get("Retry-After"), now);
  response.url = request.url;
  answered.closed = std::move(answer.closed);
  return answered;
}

class GivenStream final : public Stream {
 public:
  GivenStream(Answered answered, const Clock& clock)
      : answered_(std::move(answered)), clock_(clock), heard_(clock.monotonic()) {}

  int status() const override { return answered_.response.status; }
  const Headers& headers() const override { return answered_.response.headers; }
  std::optional<Duration> retry_after() const override { return answered_.response.retry_after; }

  Result<Piece> read(char* to, std::size_t capacity, Duration) override {
    const std::string& body = answered_.response.body;
    const std::size_t bytes = std::min(capacity, body.size() - taken_);
    std::memcpy(to, body.data() + taken_, bytes);
    taken_ += bytes;
    if (bytes > 0) return Piece{bytes, false};
    if (answered_.closed && answered_.closed()) return Piece{0, true};
    const Duration now = clock_.monotonic();
    if (std::exchange(heard_, now) == now) return Piece{};
    *to = '\n';
    return Piece{1, false};
  }
  std::string rest(std::size_t limit, Duration) override {
    const std::string rest = answered_.response.body.substr(taken_, limit);
    taken_ += rest.size();
    return rest;
  }

 private:
  const Answered answered_;
  const Clock& clock_;
  std::size_t taken_ = 0;  // of the body
  Duration heard_;         // when anything came last
};

class StandInAnswerer final : public Answerer {
 public:
  StandInAnswerer(std::shared_ptr<StandIn> stand_in, std::string node, const Clock& clock)
      : stand_in_(std::move(stand_in)), node_(std::move(node)), clock_(clock) {}

  Result<Response> send(const Request& request) override {
    return ask_stand_in(*stand_in_, node_, request, clock_.wall());
  }
  Result<std::unique_ptr<Stream>> open(const Request& request) override {
    auto answered = answer_of(*stand_in_, node_, request, clock_.wall());
    if (!answered) return tl::unexpected(std::move(answered).error());
    return std::make_unique<GivenStream>(std::move(*answered), clock_);
  }

 private:
  const std::shared_ptr<StandIn> stand_in_;
  const std::string node_;
  const Clock& clock_;
};

}  // namespace

Result<Response> ask_stand_in(const StandIn& stand_in, const std::string& node,
                              const Request& request, EventTime now) {
  auto answered = answer_of(stand_in, node, request, now);
  if (!answered) return tl::unexpected(std::move(answered).error());
  return std::move(answered->response);
}

Result<std::unique_ptr<Client>> client_for(const HttpConfig& config, const SourceContext& context) {
  auto stand_in = StandIn::of(context.shared);
  if (!stand_in) return Client::make(options_of(config), *context.clock);
  return Client::answered_by(
      std::make_unique<StandInAnswerer>(std::move(stand_in), context.node, *context.clock));
}

}  // namespace streamd::http
