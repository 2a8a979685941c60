// SPDX-License-Identifier: Apache-2.0
#include "sinks/discord/webhook.h"

#include "engine/core/arena.h"
#include "engine/expr/json_reader.h"
#include "engine/io/http/echo.h"
#include "sinks/discord/message.h"
#include "sinks/http_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace streamd::discord {
namespace {

using delivery::Answer;
using delivery::Verdict;

constexpr std::string_view kVersion = "v10";
constexpr Duration kBetween = Duration::from_seconds(2);
constexpr int kBurst = 5;
constexpr Duration kAfterBan = Duration::from_seconds(300);

Duration seconds_of(std::string_view text) {
  double seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || !(seconds > 0) || seconds > 86400) return {};
  return {static_cast<std::int64_t>(seconds * 1e6)};
}

Duration seconds_of(const Value& value) {
  double seconds = 0;
  if (value.is(Kind::float64)) seconds = value.as_double();
  if (value.is(Kind::int64)) seconds = static_cast<double>(value.as_int());
  return seconds > 0 && seconds < 86400 ? Duration{static_cast<std::int64_t>(seconds * 1e6)}
                                        : Duration{};
}

struct Trouble {
  std::int64_t code = 0;
  std::string words;
};

// {"code": …, "message": …, "errors": {…}}: the message and the first path in it.
Trouble trouble_of(std::string_view body) {
  Arena arena;
  const Value reply = expr::read_json(body, arena);
  const Value code = expr::member(reply, "code"), message = expr::member(reply, "message");
  Trouble trouble;
  if (code.is(Kind::int64)) trouble.code = code.as_int();
  trouble.words = message.is(Kind::string) ? excerpt(message.text()) : excerpt(body);
  Value inner = expr::member(reply, "errors");
  std::string path;
  while (inner.is(Kind::map) && inner.size() > 0 && inner.items()[0].text() != "_errors") {
    path += (path.empty() ? "" : ".") + std::string(inner.items()[0].text());
    inner = inner.items()[1];
  }
  const Value list = expr::member(inner, "_errors");
  if (list.is(Kind::list) && list.size() > 0) {
    const Value said = expr::member(list.items()[0], "message");
    if (said.is(Kind::string))
      trouble.words += fmt::format(" ({}: {})", path, excerpt(said.text()));
  }
  return trouble;
}

// With wait=true Discord answers with the message that it stored. A web page with status 200 comes
// from something on the way, and nobody was told.
bool is_message(const http::Response& response) {
  if (response.status == 204) return true;
  Arena arena;
  return expr::member(expr::read_json(response.body, arena), "id").is(Kind::string);
}

bool is_unsent(const Verdict& verdict) { return verdict.kind == Verdict::Kind::unsent; }

// A message of several was not taken: those behind it wait. What a person has to know shows itself
// the next time; what time heals may be over then, and is told now.
void stop_at(const Answer& trouble, Answer& all) {
  all.pause = trouble.pause;
  if (trouble.kind == Answer::Kind::again) all.message = trouble.message;
}

bool number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<http::Url> webhook_url(const http::Url& given, std::string_view thread_id) {
  constexpr std::string_view kApi = "/api/", kHooks = "webhooks/";
  std::string_view path = given.path();
  const auto bad = fail(ErrorKind::config, "this is not the address of a Discord webhook",
                        "It looks like https://discord.com/api/webhooks/ID/TOKEN; copy it from the "
                        "channel's settings, Integrations, Webhooks.");
  if (!path.starts_with(kApi)) return bad;
  path.remove_prefix(kApi.size());
  if (path.starts_with("v")) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos || !number(path.substr(1, slash - 1))) return bad;
    path.remove_prefix(slash + 1);
  }
  if (!path.starts_with(kHooks)) return bad;
  path.remove_prefix(kHooks.size());
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || !number(path.substr(0, slash))) return bad;
  const auto token = path.substr(slash + 1);
  if (token.empty() || token.find('/') != std::string_view::npos) return bad;
  http::QueryItems query{{"wait", "true"}};
  if (!thread_id.empty()) query.emplace_back("thread_id", std::string(thread_id));
  return given.with_target(
      http::with_query(fmt::format("{}{}/{}{}", kApi, kVersion, kHooks, path), query));
}

Duration Pace::ask(Duration now) {
  const Duration burst{kBetween.micros * (kBurst - 1)};
  const Duration base = std::max(free_at_, now - burst);
  if (base > now) return base - now;
  free_at_ = base + kBetween;
  return {};
}

Answer Webhook::send(const std::vector<std::string_view>& alerts, std::stop_token stop) {
  Answer all;
  for (std::size_t at = 0; at < alerts.size();) {
    const std::vector<std::string_view> left(alerts.begin() + static_cast<std::ptrdiff_t>(at),
                                             alerts.end());
    const std::vector<std::string_view> message(
        left.begin(), left.begin() + static_cast<std::ptrdiff_t>(fits(left, look_.embed)));
    Answer answer = post(message, stop);
    if (answer.kind != Answer::Kind::each) {
      // What has arrived must not go again; the rest shows the trouble itself next time.
      if (at == 0) return answer;
      stop_at(answer, all);
      break;
    }
    all.items.insert(all.items.end(), answer.items.begin(), answer.items.end());
    all.pause = answer.pause;
    all.message = std::move(answer.message);
    at += message.size();
    if (all.pause > Duration{} || is_unsent(all.items.back())) break;
  }
  all.items.resize(alerts.size(), {Verdict::Kind::unsent, "", ""});
  return all;
}

Answer Webhook::post(const std::vector<std::string_view>& alerts, std::stop_token stop) {
  const Duration now = clock_.monotonic();
  const Duration wait = std::max(Duration{global_->until_micros.load()} - now, pace_.ask(now));
  if (wait > Duration{}) {
    Answer later;
    later.items.assign(alerts.size(), {Verdict::Kind::unsent, "", ""});
    later.pause = wait;
    return later;
  }
  http::Request request;
  request.method = "POST";
  request.url = url_;
  request.shown_as = "Discord webhook";
  request.headers.set("Content-Type", "application/json");
  request.headers.set("User-Agent", "DiscordBot (https://github.com/streamd/streamd, 0.1)");
  request.body = request_body(alerts, look_.embed, look_.username, look_.avatar);
  request.idempotent = false;
  auto response = client_->send(request, stop);
  if (!response) return no_response(response.error());
  http::hide_echo(request, nullptr, response->body);
  if (response->status == 400 || response->status == 413) {
    const Trouble trouble = trouble_of(response->body);
    if (alerts.size() > 1) return halves(alerts, stop);
    return refuse_each(1, fmt::format("discord-{}", trouble.code), trouble.words);
  }
  return read(*response, alerts.size());
}

// One alert spoils the message of all: it is found by sending less at once.
Answer Webhook::halves(const std::vector<std::string_view>& alerts, std::stop_token stop) {
  const auto middle = alerts.begin() + static_cast<std::ptrdiff_t>(alerts.size() / 2);
  Answer both;
  for (const auto& half : {std::vector<std::string_view>(alerts.begin(), middle),
                           std::vector<std::string_view>(middle, alerts.end())}) {
    Answer answer = post(half, stop);
    if (answer.kind != Answer::Kind::each) {
      if (both.items.empty()) return answer;
      stop_at(answer, both);
      break;
    }
    both.items.insert(both.items.end(), answer.items.begin(), answer.items.end());
    both.pause = answer.pause;
    both.message = std::move(answer.message);
    if (both.pause > Duration{} || is_unsent(both.items.back())) break;
  }
  both.items.resize(alerts.size(), {Verdict::Kind::unsent, "", ""});
  return both;
}

Answer Webhook::limited(const http::Response& response) {
  Arena arena;
  const Value reply = expr::read_json(response.body, arena);
  Answer answer;
  answer.kind = Answer::Kind::again;
  answer.pause = std::max(response.retry_after.value_or(Duration{}),
                          seconds_of(expr::member(reply, "retry_after")));
  if (!reply.is(Kind::map)) {
    answer.pause = std::max(answer.pause, kAfterBan);
    answer.message = "this address is blocked for a while, for too many requests";
    answer.hint = "Others behind the same address may be the cause";
    return answer;
  }
  answer.message = "too many messages (429)";
  const Value global = expr::member(reply, "global");
  if (global.is(Kind::boolean) && global.as_bool())
    global_->until_micros = (clock_.monotonic() + answer.pause).micros;
  return answer;
}

Answer Webhook::read(const http::Response& response, std::size_t count) {
  Answer answer;
  if (response.ok() && !is_message(response)) {
    answer.kind = Answer::Kind::again;
    answer.message =
        fmt::format("what it answers is no message of Discord: {}", excerpt(response.body));
    return answer;
  }
  if (response.ok()) {
    answer.items.resize(count);
    if (response.headers.get("X-RateLimit-Remaining") == "0")
      answer.pause = seconds_of(response.headers.get("X-RateLimit-Reset-After"));
    return answer;
  }
  if (response.status == 429) return limited(response);
  const Trouble trouble = trouble_of(response.body);
  if (response.status == 404 || (response.status == 401 && trouble.code != 0)) {
    answer.kind = Answer::Kind::closed;
    answer.code = fmt::format("discord-{}", trouble.code);
    answer.message = fmt::format("Discord says {} ({})", trouble.words, response.status);
    answer.hint =
        trouble.code == 10003
            ? "Check thread_id: the thread is gone"
            : "The webhook was deleted: make a new one, set its address, start again, and "
              "replay the dead letters";
    return answer;
  }
  if (auto usual = usual_answer(response, trouble.words)) return *usual;
  return refuse_each(count, fmt::format("discord-{}", trouble.code), trouble.words);
}

}  // namespace streamd::discord
