// SPDX-License-Identifier: Apache-2.0
#include "enrich/http_protocol.h"

#include "engine/codec/encode.h"
#include "engine/codec/utf8.h"
#include "engine/expr/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace streamd::enrich {
namespace {

// Never in a URL; stands for a hole that printed nothing.
constexpr char kHollow = '\x01';

void escape(std::string_view text, std::string& out) {
  if (text.empty()) out += kHollow;
  out += http::percent_encode(text);
}

// Scheme and authority, which must stand in front of the first hole. npos: not all of it does.
std::size_t authority_end(std::string_view prefix) {
  const auto begin = prefix.find("://");
  return begin == std::string_view::npos ? begin : prefix.find_first_of("/?", begin + 3);
}

// "." and ".." climb; a value must not choose another folder.
bool has_dot_segment(std::string_view url) {
  std::string_view path = url.substr(0, url.find('?'));
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "." || segment == "..") return true;
    at = end + 1;
  }
  return false;
}

void take(const Value& value, std::size_t f, Question& question) {
  if (value.is(Kind::list) || value.is(Kind::map)) {
    std::string text;
    append_json(value, text);
    question.values[f] = Value::json(question.arena.copy(text));
  } else if (value.is(Kind::string)) {
    question.values[f] = Value::string(question.arena.copy(value.text()));
  } else {
    question.values[f] = value;
  }
}

bool is_empty(const Value& value) {
  return value.absent() || ((value.is(Kind::map) || value.is(Kind::list)) && value.size() == 0);
}

class HttpProtocol final : public Protocol {
 public:
  HttpProtocol(const Config& config, expr::BoundTemplate url)
      : url_(std::move(url)), missing_(config.missing) {
    for (const auto& [name, from] : config.fields) paths_.push_back(from);
    const std::string_view text = config.url->text;
    base_ = http::Url::parse(text.substr(0, authority_end(text))).value_or(http::Url{});
    far_side_ = "the service at " + base_.host_port();
  }

  const std::string& far_side() const override { return far_side_; }

  std::optional<http::Url> url_of(const Batch& in, Question& question) const override {
    std::string text;
    if (!url_.render(in, question.record, text, nullptr, escape) ||
        text.find(kHollow) != std::string::npos) {
      nothing(question);
      return std::nullopt;
    }
    if (auto url = http::Url::parse(text);
        url && url->same_origin(base_) && !has_dot_segment(text.substr(authority_end(text))))
      return std::move(*url);
    refused(question, "the record's values make no URL that can be asked for");
    return std::nullopt;
  }

  Status read(const http::Response& response, EventTime, Question& question) const override {
    const int status = response.status;
    if (std::find(missing_.begin(), missing_.end(), status) != missing_.end())
      return nothing(question);
    if (!response.ok()) return read_refusal(response, question);
    const std::size_t start = response.body.find_first_not_of(" \t\r\n");
    if (start != std::string::npos && response.body[start] == '<')
      return fail_for_now(
          fmt::format("{} answers with {} instead of JSON", far_side_, words_of(response)),
          "is url right, and does nothing else answer in its place?");
    read_json_answer(response, paths_, question);
    return {};
  }

 private:
  Status read_refusal(const http::Response& response, Question& question) const {
    const int status = response.status;
    const std::string words = words_of(response);
    const std::string told =
        fmt::format("{} answers {}{}{}", far_side_, status, words.empty() ? "" : ": ", words);
    if (status == 401 || status == 403)
      return fail(ErrorKind::external, told, "check the credentials and what they allow");
    if (status == 408 || status == 425 || status == 429 || status >= 500) return fail_for_now(told);
    return refused(question, told);
  }

  const expr::BoundTemplate url_;
  const std::vector<std::int64_t> missing_;
  std::vector<std::string> paths_;
  http::Url base_;
  std::string far_side_;
};

}  // namespace

void check_http(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  if (!config.url) {
    report_missing(node, "url", problems);
    return;
  }
  const Place place = config.url->where.place;
  const std::string_view text = config.url->text;
  const auto hole = text.find("{{");
  if (hole == std::string_view::npos) {
    problems.error("rule", place, "url holds no {{ }}, so that every record would ask the same",
                   "put in what differs, like https://inventory.example/hosts/{{ client_ip }}");
    return;
  }
  const auto end = authority_end(text.substr(0, hole));
  if (end == std::string_view::npos) {
    problems.error("bad-url", place, "the host of url must be written out",
                   "begin with http:// or https://, a host and a slash; {{ }} may stand behind "
                   "that");
    return;
  }
  if (auto url = http::Url::parse(text.substr(0, end)); !url)
    problems.error("bad-url", place, url.error().message, url.error().hint);
}

std::unique_ptr<Protocol> make_http_protocol(const Config& config, expr::BoundTemplate url) {
  return std::make_unique<HttpProtocol>(config, std::move(url));
}

void read_json_answer(const http::Response& response, const std::vector<std::string>& paths,
                      Question& question) {
  const std::string_view body = response.body;
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    nothing(question);
    return;
  }
  thread_local Arena scratch(64 * 1024);
  scratch.clear();
  const Value root = is_utf8(body) ? expr::read_json(body, scratch) : Value::error("");
  if (root.is(Kind::error)) {
    refused(question, fmt::format("the answer is no JSON: {}", words_of(response)));
    return;
  }
  question.verdict = is_empty(root) ? Verdict::nothing : Verdict::found;
  if (question.verdict == Verdict::nothing) return;
  for (std::size_t f = 0; f < paths.size(); ++f) take(expr::at_path(root, paths[f]), f, question);
}

}  // namespace streamd::enrich
