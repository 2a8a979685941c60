// SPDX-License-Identifier: Apache-2.0
#include "enrich/service_answers.h"

#include "engine/api/stand_in.h"
#include "engine/core/hash.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace streamd::enrich {
namespace {

// One slash: CrowdSec's local API logs a warning about anything else.
constexpr const char* kAgent = "streamd/" STREAMD_VERSION;

const char* meanwhile(OnError on_error) {
  switch (on_error) {
    case OnError::dead_letter: return "records that need it become dead letters";
    case OnError::null: return "the fields it gives are null";
    case OnError::keep: break;
  }
  return "records go on without the fields it gives";
}

class ServiceAnswers final : public Answerer {
 public:
  ServiceAnswers(std::shared_ptr<Service> service, std::shared_ptr<const Protocol> protocol,
                 std::stop_token stop)
      : service_(std::move(service)), protocol_(std::move(protocol)), stop_(std::move(stop)) {}

  Status ask(const Batch& in, Questions& questions) override {
    asked_.clear();
    for (Question& question : questions)
      if (auto url = protocol_->url_of(in, question))
        asked_.push_back({&question, std::move(*url)});
    STREAMD_TRY(service_->asker.ask(
        asked_.size(),
        [this](std::size_t n, const std::stop_token& stop) { return ask_one(asked_[n], stop); },
        stop_, why_));
    for (std::size_t n = 0; n < asked_.size(); ++n) {
      if (why_[n].empty()) continue;
      asked_[n].question->verdict = Verdict::failed;
      asked_[n].question->reason = std::move(why_[n]);
    }
    tell_refusals();
    return {};
  }

 private:
  struct Sent {
    Question* question;
    http::Url url;
  };

  http::Asked ask_one(const Sent& sent, const std::stop_token& stop) const {
    const auto response = service_->send(sent.url, stop);
    if (response) {
      auto read = protocol_->read(*response, service_->clock.wall(), *sent.question);
      if (read) return {};
      return {std::move(read).error(), response->retry_after};
    }
    const Error& error = response.error();
    if (error.kind != ErrorKind::data) return {error, {}};
    refused(*sent.question, error.message + "; raise max_answer");
    return {};
  }

  // They are counted as dead letters or not at all, so somebody should know that there are some.
  void tell_refusals() {
    for (const Sent& sent : asked_) {
      if (sent.question->verdict != Verdict::refused) continue;
      if (!service_->told_refusal.exchange(true) && service_->log)
        service_->log(1, fmt::format("a question got no answer that can be used: {}; others of "
                                     "this kind are not told",
                                     sent.question->reason));
      return;
    }
  }

  const std::shared_ptr<Service> service_;
  const std::shared_ptr<const Protocol> protocol_;
  const std::stop_token stop_;
  std::vector<Sent> asked_;
  std::vector<std::string> why_;
};

// What a test file answers.
Send ask_stand_in(std::shared_ptr<StandIn> stand_in, std::string node) {
  return [stand_in = std::move(stand_in), node = std::move(node)](
             const http::Url& url, const std::stop_token&) -> Result<http::Response> {
    auto answer = stand_in->service({node, "GET", url.target});
    if (!answer.reachable) return fail_for_now(fmt::format("{} can't be reached", url.host_port()));
    http::Response response;
    response.status = answer.status;
    for (auto& [name, value] : answer.headers)
      response.headers.add(std::move(name), std::move(value));
    response.body = std::move(answer.body);
    response.retry_after = answer.retry_after;
    response.url = url;
    return response;
  };
}

}  // namespace

Send http_send(const Config& config, const Clock& clock) {
  http::ClientOptions options = http::options_of(config);
  options.connections_per_host = static_cast<std::uint32_t>(config.concurrency);
  options.user_agent = kAgent;
  auto made = http::Client::make(std::move(options), clock);
  if (!made)
    return
        [error = made.error()](const http::Url&, std::stop_token) { return tl::unexpected(error); };
  return [client = std::shared_ptr<http::Client>(std::move(*made)), config](
             const http::Url& url, std::stop_token stop) -> Result<http::Response> {
    http::Request request;
    request.url = url;
    request.headers.set("Accept", "application/json");
    if (config.kind == EnrichKind::crowdsec) {
      request.headers.set("X-Api-Key", config.api_key);
      request.follow_redirects = false;
    }
    request.shown_as = "GET";
    request.max_response = config.max_answer.bytes;
    http::authorize(config, request);
    return client->send(request, std::move(stop));
  };
}

http::AskerOptions asker_options(const Config& config, const std::string& far_side) {
  http::AskerOptions options;
  options.concurrency = static_cast<std::uint32_t>(config.concurrency);
  options.per_second = config.rate;
  options.far_side = far_side;
  options.meanwhile = meanwhile(config.on_error);
  return options;
}

std::shared_ptr<Service> service_of(const Config& config, const std::string& far_side,
                                    const OperatorContext& context) {
  const auto stand_in = StandIn::of(context.shared);
  const auto make = [&] {
    if (stand_in) {
      http::AskerOptions options = asker_options(config, far_side);
      options.concurrency = 1;
      options.per_second = 0;
      return std::make_shared<Service>(std::move(options), *context.clock, context.log, 1,
                                       ask_stand_in(stand_in, context.node));
    }
    const auto started = static_cast<std::uint64_t>(context.clock->monotonic().micros);
    return std::make_shared<Service>(asker_options(config, far_side), *context.clock, context.log,
                                     hash_bytes(context.node, context.hash_seed ^ started),
                                     http_send(config, *context.clock));
  };
  if (context.shared == nullptr) return make();
  return context.shared->get_or_make<Service>("enrich " + context.node, make);
}

std::unique_ptr<Answerer> make_service_answers(std::shared_ptr<Service> service,
                                               std::shared_ptr<const Protocol> protocol,
                                               std::stop_token stop) {
  return std::make_unique<ServiceAnswers>(std::move(service), std::move(protocol), std::move(stop));
}

}  // namespace streamd::enrich
