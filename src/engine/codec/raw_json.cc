// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/raw_json.h"

#include "engine/codec/json_text.h"

#include <cstring>

namespace streamd {

RawWalk::RawWalk(std::string_view text, char opening) : text_(text) {
  skip_space();
  broken_ = at_ >= text_.size() || text_[at_] != opening;
  ++at_;
}

void RawWalk::skip_space() {
  while (at_ < text_.size() && is_json_space(text_[at_])) ++at_;
}

// From the opening quote to behind the closing one.
bool RawWalk::skip_string() {
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '"') return true;
    if (c == '\\') ++at_;
  }
  return false;
}

bool RawWalk::skip_value() {
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_string()) return false;
      if (depth == 0) return true;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return true;
      ++at_;
      if (--depth == 0) return true;
      continue;
    }
    if (depth == 0 && (c == ',' || is_json_space(c))) return true;
    ++at_;
  }
  return false;
}

bool RawWalk::step(char closing) {
  if (broken_) return false;
  skip_space();
  if (at_ < text_.size() && text_[at_] == closing) return false;
  broken_ = true;
  if (!first_) {
    if (at_ >= text_.size() || text_[at_++] != ',') return false;
    skip_space();
  }
  first_ = false;
  return true;
}

std::optional<std::string_view> RawItems::next() {
  if (!step(']')) return std::nullopt;
  const std::size_t begin = at_;
  if (!skip_value() || at_ == begin) return std::nullopt;
  broken_ = false;
  return text_.substr(begin, at_ - begin);
}

std::optional<RawMember> RawMembers::next() {
  if (!step('}')) return std::nullopt;
  const std::size_t begin = at_;
  if (at_ >= text_.size() || text_[at_] != '"' || !skip_string()) return std::nullopt;
  RawMember member;
  member.key = text_.substr(begin + 1, at_ - begin - 2);
  skip_space();
  if (at_ >= text_.size() || text_[at_++] != ':') return std::nullopt;
  skip_space();
  const std::size_t value = at_;
  if (!skip_value() || at_ == value) return std::nullopt;
  member.value = text_.substr(value, at_ - value);
  member.whole = text_.substr(begin, at_ - begin);
  broken_ = false;
  return member;
}

bool key_is(std::string_view raw_key, std::string_view name) {
  if (raw_key.find('\\') == std::string_view::npos) [[likely]]
    return raw_key == name;
  std::string plain(raw_key);
  std::size_t size = 0;
  return unescape_json(raw_key, plain.data(), size) &&
         std::string_view(plain).substr(0, size) == name;
}

void append_one_line(std::string_view json, std::string& out) {
  while (!json.empty()) {
    const void* const found = std::memchr(json.data(), '\n', json.size());
    if (found == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - json.data());
    const std::size_t end = at > 0 && json[at - 1] == '\r' ? at - 1 : at;
    out += json.substr(0, end);
    json.remove_prefix(at + 1);
  }
  out += json;
}

}  // namespace streamd
