// SPDX-License-Identifier: Apache-2.0
#include "sinks/http_answer.h"

#include <fmt/format.h>

#include <utility>

namespace streamd {
namespace {

delivery::Answer answer_of(delivery::Answer::Kind kind, std::string message,
                           std::string hint = {}) {
  delivery::Answer answer;
  answer.kind = kind;
  answer.message = std::move(message);
  answer.hint = std::move(hint);
  return answer;
}

}  // namespace

delivery::Answer no_response(const Error& error) {
  const bool heals = error.retry == Retry::backoff;
  return answer_of(heals ? delivery::Answer::Kind::again : delivery::Answer::Kind::blocked,
                   error.message, error.hint);
}

std::optional<delivery::Answer> usual_answer(const http::Response& response,
                                             const std::string& words) {
  using Means = delivery::Answer::Kind;
  const int status = response.status;
  const std::string told =
      fmt::format("it answers {}{}{}", status, words.empty() ? "" : ": ", words);
  if (status == 413) return answer_of(Means::split, told);
  if (status == 401 || status == 403)
    return answer_of(Means::blocked, told, "Check the credentials and what they allow");
  if (status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501)) {
    auto answer = answer_of(Means::again, told);
    answer.pause = response.retry_after.value_or(Duration{});
    return answer;
  }
  return std::nullopt;
}

delivery::Answer refuse_each(std::size_t count, std::string code, std::string reason) {
  delivery::Answer answer;
  answer.items.assign(count,
                      {delivery::Verdict::Kind::refused, std::move(code), std::move(reason)});
  return answer;
}

}  // namespace streamd
