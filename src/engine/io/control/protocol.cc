// SPDX-License-Identifier: Apache-2.0
#include "engine/io/control/protocol.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::control {
namespace {

constexpr std::string_view kVersion = "streamd/1";

tl::unexpected<Error> bad(std::string what) {
  return fail(ErrorKind::external, std::move(what),
              "ask with the `streamd` that the process was started from");
}

}  // namespace

std::string_view Request::get(std::string_view name) const {
  const auto it = std::find_if(values.begin(), values.end(),
                               [&](const auto& value) { return value.first == name; });
  return it == values.end() ? std::string_view{} : std::string_view(it->second);
}

std::string encode(const Request& request) {
  std::string bytes;
  const auto add = [&bytes](std::string_view word) {
    bytes += word;
    bytes += '\0';
  };
  add(kVersion);
  add(request.verb);
  for (const auto& [name, value] : request.values) add(fmt::format("{}={}", name, value));
  add("");
  return bytes;
}

Result<std::optional<Request>> parse_request(std::string_view bytes) {
  if (bytes.size() > kMaxRequestBytes) return bad("the request is too long");
  const std::string_view head = bytes.substr(0, kVersion.size() + 1);
  if (head.substr(0, kVersion.size()) != kVersion.substr(0, head.size()))
    return bad("this is no request that this version of streamd understands");
  std::vector<std::string_view> words;
  for (std::size_t at = 0;;) {
    const std::size_t end = bytes.find('\0', at);
    if (end == std::string_view::npos) return std::optional<Request>();
    const std::string_view word = bytes.substr(at, end - at);
    if (words.empty() && word != kVersion)
      return bad("this is no request that this version of streamd understands");
    if (word.empty()) break;
    if (words.size() == kMaxRequestWords) return bad("the request has too many words");
    words.push_back(word);
    at = end + 1;
  }
  if (words.size() < 2) return bad("the request asks for nothing");
  Request request{std::string(words[1]), {}};
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string_view::npos) return bad("a word of the request has no value");
    request.values.emplace_back(words[i].substr(0, equals), words[i].substr(equals + 1));
  }
  return std::optional<Request>(std::move(request));
}

void Answer::add(char kind, std::string_view line) {
  bytes_ += kind;
  for (const char c : line) bytes_ += c == '\n' ? ' ' : c;
  bytes_ += '\n';
}

void Answer::err(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    add('e', text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void Answer::finish(int exit_code) {
  if (finished_) return;
  add('x', std::to_string(exit_code));
  finished_ = true;
}

std::optional<AnswerLines::Line> AnswerLines::next() {
  const std::size_t end = bytes_.find('\n', begin_);
  if (end == std::string::npos) {
    bytes_.erase(0, begin_);
    begin_ = 0;
    return std::nullopt;
  }
  Line line;
  if (end > begin_) {
    line.kind = bytes_[begin_];
    line.text = bytes_.substr(begin_ + 1, end - begin_ - 1);
  }
  begin_ = end + 1;
  return line;
}

}  // namespace streamd::control
