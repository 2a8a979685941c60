// SPDX-License-Identifier: Apache-2.0
// Kinds that ask a service: one Service for all workers of a node, and an Answerer for each worker
// that hands its questions to it and waits. Private to the folder.
#pragma once

#include "engine/api/operator.h"
#include "engine/io/http/asker.h"
#include "engine/io/http/client.h"
#include "enrich/answerer.h"
#include "enrich/config.h"
#include "enrich/protocol.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

namespace streamd::enrich {

// Sends one GET; any thread. Tests put their own in the place of the HTTP client.
using Send = std::function<Result<http::Response>(const http::Url& url, std::stop_token stop)>;

// Thread-safe.
struct Service {
  Service(http::AskerOptions options, const Clock& the_clock, http::Asker::Log the_log,
          std::uint64_t seed, Send the_send)
      : clock(the_clock),
        log(the_log),
        send(std::move(the_send)),
        asker(std::move(options), the_clock, std::move(the_log), seed) {}

  const Clock& clock;
  const http::Asker::Log log;
  const Send send;
  std::atomic<bool> told_refusal = false;  // that a single question got no answer
  http::Asker asker;
};

// The client, its headers and its login. A Send that fails says what is wrong with the settings.
Send http_send(const Config& config, const Clock& clock);
http::AskerOptions asker_options(const Config& config, const std::string& far_side);
// The node's service, made by the first worker.
std::shared_ptr<Service> service_of(const Config& config, const std::string& far_side,
                                    const OperatorContext& context);

// stop: the run is given up; then questions fail soon.
std::unique_ptr<Answerer> make_service_answers(std::shared_ptr<Service> service,
                                               std::shared_ptr<const Protocol> protocol,
                                               std::stop_token stop);

}  // namespace streamd::enrich
