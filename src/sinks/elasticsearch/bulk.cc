// SPDX-License-Identifier: Apache-2.0
#include "sinks/elasticsearch/bulk.h"

#include "engine/codec/encode.h"
#include "engine/core/arena.h"
#include "engine/expr/json_reader.h"
#include "sinks/http_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace streamd::elasticsearch {
namespace {

using delivery::Answer;
using delivery::Verdict;

// A byte that no UTF-8 text holds.
constexpr char kBetween = '\xff';

std::string_view text_of(const Value& value) {
  return value.is(Kind::string) ? value.text() : std::string_view{};
}

// "type: reason", with the cause below it where the reason alone is empty of content.
std::string describe(const Value& error) {
  if (error.is(Kind::string)) return std::string(error.text());
  std::string text = fmt::format("{}: {}", text_of(expr::member(error, "type")),
                                 text_of(expr::member(error, "reason")));
  const Value cause = expr::member(error, "caused_by");
  if (cause.is(Kind::map)) text += fmt::format(" ({})", text_of(expr::member(cause, "reason")));
  return text;
}

Answer not_an_answer(std::string_view body) {
  Answer answer;
  answer.kind = Answer::Kind::again;
  answer.message = fmt::format("what it answers is not about this request: {}", excerpt(body));
  answer.hint = "Check that url is that of Elasticsearch or OpenSearch itself";
  return answer;
}

Verdict verdict_of(std::int64_t status, const Value& error, Action action) {
  Verdict verdict;
  // Own ids: a conflict says that an earlier try has stored the same document.
  if (status == 200 || status == 201 || (status == 409 && action == Action::create)) return verdict;
  verdict.reason = error.absent() ? fmt::format("status {}", status) : describe(error);
  const auto type = text_of(expr::member(error, "type"));
  verdict.code = type.empty() ? fmt::format("status-{}", status) : std::string(type);
  std::replace(verdict.code.begin(), verdict.code.end(), '_', '-');
  const bool blocked = status == 403 && type.starts_with("cluster_block");
  const bool heals = status == 429 || (status >= 500 && status != 501) || blocked;
  verdict.kind = heals ? Verdict::Kind::again : Verdict::Kind::refused;
  return verdict;
}

// Documents that go again alone could overtake a later version of theirs; and people shall hear of
// it when none gets through.
Answer as_a_whole(Answer answer, bool ordered) {
  const auto is_again = [](const Verdict& v) { return v.kind == Verdict::Kind::again; };
  const auto first = std::find_if(answer.items.begin(), answer.items.end(), is_again);
  if (first == answer.items.end()) return answer;
  const bool all = std::all_of(answer.items.begin(), answer.items.end(), is_again);
  if (!all && !ordered) return answer;
  answer.message = fmt::format("it does not take the documents now: {}", excerpt(first->reason));
  if (!ordered) return answer;
  answer.kind = Answer::Kind::again;
  answer.items.clear();
  return answer;
}

}  // namespace

void append_route(const Route& route, std::string& out) {
  out += route.index;
  out += kBetween;
  out += route.routing;
}

Route read_route(std::string_view text) {
  const auto at = text.find(kBetween);
  if (at == std::string_view::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool is_index_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name == "." || name == "..") return false;
  if (std::string_view("-_+").find(name.front()) != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && !(c >= 'A' && c <= 'Z') &&
           std::string_view("\\/*?\"<>|,#:").find(c) == std::string_view::npos;
  });
}

std::string request_body(std::span<const delivery::Item> items, Action action) {
  std::string body;
  std::size_t bytes = 0;
  for (const auto& item : items) bytes += item.document.size() + item.route.size() + 128;
  body.reserve(bytes);
  for (const auto& item : items) {
    const Route route = read_route(item.route);
    body += action == Action::create ? R"({"create":{"_index":)" : R"({"index":{"_index":)";
    append_json_string(route.index, body);
    if (!item.id.empty()) {
      body += R"(,"_id":)";
      append_json_string(item.id, body);
    }
    if (!route.routing.empty()) {
      body += R"(,"routing":)";
      append_json_string(route.routing, body);
    }
    body += "}}\n";
    body += item.document;
    body += '\n';
  }
  return body;
}

Answer read_answer(std::string_view body, std::size_t count, Action action, bool ordered) {
  Arena arena;
  const Value reply = expr::read_json(body, arena);
  const Value errors = expr::member(reply, "errors");
  const Value items = expr::member(reply, "items");
  Answer answer;
  if (!errors.is(Kind::boolean) || !items.is(Kind::list) || items.size() != count)
    return not_an_answer(body);
  answer.items.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Value& item = items.items()[i];
    if (!item.is(Kind::map) || item.size() != 1) return not_an_answer(body);
    const Value& result = item.items()[1];
    const Value status = expr::member(result, "status");
    if (!status.is(Kind::int64)) return not_an_answer(body);
    answer.items[i] = verdict_of(status.as_int(), expr::member(result, "error"), action);
  }
  return as_a_whole(std::move(answer), ordered);
}

std::string error_text(std::string_view body) {
  Arena arena;
  const Value error = expr::member(expr::read_json(body, arena), "error");
  return error.absent() ? excerpt(body) : excerpt(describe(error));
}

}  // namespace streamd::elasticsearch
