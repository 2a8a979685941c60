// SPDX-License-Identifier: Apache-2.0
#include "sinks/http_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace streamd {
namespace {

constexpr std::size_t kExcerpt = 300;

delivery::Answer answer_of(delivery::Answer::Kind kind, std::string message,
                           std::string hint = {}) {
  delivery::Answer answer;
  answer.kind = kind;
  answer.message = std::move(message);
  answer.hint = std::move(hint);
  return answer;
}

std::string_view title_of(std::string_view html) {
  std::string lower(html.substr(0, 4096));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto begin = lower.find("<title>");
  if (begin == std::string::npos) return "";
  const auto end = lower.find('<', begin + 7);
  return html.substr(begin + 7, end == std::string::npos ? end : end - begin - 7);
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

std::string excerpt(std::string_view body) {
  const auto start = body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "";
  body.remove_prefix(start);
  std::string text;
  if (body.front() == '<') text = "a web page ";
  for (const char c : body.front() == '<' ? title_of(body) : body) {
    if (text.size() >= kExcerpt) {
      text += "…";
      break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f)
      text += c;
    else if (text.empty() || text.back() != ' ')
      text += ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace streamd
