// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/framing.h"

#include <algorithm>
#include <cstring>

namespace streamd::syslog {
namespace {

constexpr std::size_t kMaxDigits = 9;
// No sender makes messages longer than this or max_record, whichever is more: the number is
// something else, and to skip so much would lose what others sent over the same connection.
constexpr std::size_t kCredible = 200'000;
// What a dead letter shows of a message that is too long.
constexpr std::size_t kShown = 64 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_between(char c) { return c == '\n' || c == '\r' || c == '\0' || c == ' '; }

std::size_t find(std::string_view data, char c, std::size_t from, std::size_t end) {
  if (from >= end) return end;
  const void* const at = std::memchr(data.data() + from, c, end - from);
  return at == nullptr ? end : static_cast<std::size_t>(static_cast<const char*>(at) - data.data());
}

}  // namespace

// The first end of a line, or data.size().
std::size_t FrameCutter::find_end(std::string_view data, std::size_t from) const {
  if (framing_ == Framing::nul) return find(data, '\0', from, data.size());
  const std::size_t lf = find(data, '\n', from, data.size());
  return framing_ == Framing::lf ? lf : find(data, '\0', from, lf);
}

bool FrameCutter::skip(std::string_view& data) {
  const std::size_t bytes = std::min(skip_bytes_, data.size());
  skip_bytes_ -= bytes;
  data.remove_prefix(bytes);
  if (skip_bytes_ > 0) return false;
  if (!skip_line_) return true;
  const std::size_t end = find_end(data, 0);
  skip_line_ = end == data.size();
  data.remove_prefix(end);
  return !skip_line_;
}

FrameCutter::Kind FrameCutter::kind_of(std::string_view data, std::size_t& length,
                                       std::size_t& digits) const {
  if (framing_ == Framing::lf || framing_ == Framing::nul || lost_) return Kind::line;
  if (data[0] < '1' || data[0] > '9') return Kind::line;
  length = 0;
  for (digits = 0; digits < data.size() && digits <= kMaxDigits && is_digit(data[digits]); ++digits)
    length = length * 10 + static_cast<std::size_t>(data[digits] - '0');
  if (digits > kMaxDigits) return Kind::line;
  if (digits == data.size()) return Kind::unknown;
  if (data[digits] != ' ' || length > std::max(max_record_, kCredible)) return Kind::line;
  if (framing_ == Framing::counted) return Kind::counted;
  if (digits + 1 == data.size()) return Kind::unknown;
  // A byte order mark is also how a message begins and no word does.
  const char first = data[digits + 1];
  return first == '<' || first == '\xEF' ? Kind::counted : Kind::line;
}

std::optional<Frame> FrameCutter::next(std::string_view& data) {
  if (!skip(data)) return std::nullopt;
  if (scanned_ == 0) {
    while (!data.empty() && is_between(data.front())) data.remove_prefix(1);
  }
  inside_ = !data.empty();
  if (data.empty()) return std::nullopt;
  std::size_t length = 0, digits = 0;
  switch (scanned_ > 0 ? Kind::line : kind_of(data, length, digits)) {
    case Kind::unknown: return std::nullopt;
    case Kind::counted: return counted(data, length, digits);
    case Kind::line: break;
  }
  if (framing_ == Framing::counted && !lost_) {
    lost_ = true;
    ++desynchronised_;
  }
  return line(data);
}

std::optional<Frame> FrameCutter::counted(std::string_view& data, std::size_t length,
                                          std::size_t digits) {
  const std::string_view text = data.substr(digits + 1);
  if (text.empty()) return std::nullopt;
  if (length > max_record_) {
    const std::size_t there = std::min({text.size(), length, kShown});
    skip_bytes_ = length - there;
    inside_ = false;
    data.remove_prefix(digits + 1 + there);
    return Frame{text.substr(0, there), true};
  }
  if (text.size() < length) return std::nullopt;
  inside_ = false;
  data.remove_prefix(digits + 1 + length);
  return Frame{text.substr(0, length)};
}

std::optional<Frame> FrameCutter::line(std::string_view& data) {
  const std::size_t end = find_end(data, scanned_);
  if (end == data.size() && end <= max_record_) {
    scanned_ = end;
    return std::nullopt;
  }
  const Frame frame{data.substr(0, std::min(end, end > max_record_ ? kShown : end)),
                    end > max_record_};
  skip_line_ = end == data.size();
  scanned_ = 0;
  inside_ = false;
  lost_ = false;
  data.remove_prefix(end);
  return frame;
}

std::optional<Frame> FrameCutter::rest(std::string_view data) {
  if (!skip(data)) return std::nullopt;
  while (!data.empty() && is_between(data.front())) data.remove_prefix(1);
  if (data.empty()) return std::nullopt;
  std::size_t length = 0, digits = 0;
  if (scanned_ == 0 && kind_of(data, length, digits) == Kind::counted)
    data.remove_prefix(digits + 1);
  if (data.empty()) return std::nullopt;
  return Frame{data};
}

}  // namespace streamd::syslog
