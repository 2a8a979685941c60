// SPDX-License-Identifier: Apache-2.0
// Protocol: how a service is asked and what its answers mean. Const and shared by workers. It sends
// nothing itself: service_answers.h does.
#pragma once

#include "engine/io/http/client.h"
#include "engine/io/http/echo.h"
#include "engine/io/http/excerpt.h"
#include "enrich/answerer.h"

#include <optional>
#include <string>
#include <utility>

namespace streamd::enrich {

class Protocol {
 public:
  virtual ~Protocol() = default;
  // What the log and reasons of dead letters call it: "CrowdSec's local API at 127.0.0.1:8080".
  virtual const std::string& far_side() const = 0;
  // The URL that asks a question; on the worker's thread. nullopt: there is nothing to ask, and the
  // question has its verdict.
  virtual std::optional<http::Url> url_of(const Batch& in, Question& question) const = 0;
  // Gives a question its verdict; on any thread. `wall`: the time now. Error: it is the service
  // that fails, not this question.
  virtual Status read(const http::Response& response, EventTime wall, Question& question) const = 0;
};

// What an answer says, for people: a service that answers with anything else than it should may
// repeat what it was asked, the key too.
inline std::string words_of(const http::Response& response) {
  return excerpt(http::without_echo(response));
}

// Verdicts. A refused question shall not be asked again soon.
inline Status nothing(Question& question) {
  question.verdict = Verdict::nothing;
  return {};
}
inline Status refused(Question& question, std::string reason) {
  question.verdict = Verdict::refused;
  question.reason = std::move(reason);
  return {};
}

}  // namespace streamd::enrich
