// SPDX-License-Identifier: Apache-2.0
#include "engine/config/masked_line.h"

#include <algorithm>

namespace streamd {
namespace {

constexpr std::string_view kStars = "***";
constexpr auto kNowhere = std::string_view::npos;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool opens(char c) { return c == '{' || c == '['; }
bool closes(char c) { return c == '}' || c == ']'; }

// The end of ${…} when one begins here, else `at`.
std::size_t behind_variable(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "${") return at;
  const std::size_t end = text.find('}', at);
  return end == kNowhere ? text.size() : end + 1;
}

// True when it has no literal part but marks: ${A}, "${USER}:${PASSWORD}", and not ${A:-literal}.
bool only_variables(std::string_view text) {
  bool any = false;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t end = behind_variable(text, i); end != i) {
      if (text.substr(i, end - i).find(":-") != kNowhere) return false;
      any = true;
      i = end;
      continue;
    }
    const auto c = static_cast<unsigned char>(text[i++]);
    if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
      return false;
  }
  return any;
}

// Behind the closing quote, or the end of the line.
std::size_t behind_quotes(std::string_view line, std::size_t from) {
  const char quote = line[from];
  for (std::size_t i = from + 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote == '"' || line.substr(i + 1, 1) != "'") return i + 1;
      ++i;
    }
  }
  return line.size();
}

// Behind the bracket that closes the one at `from`.
std::size_t behind_brackets(std::string_view line, std::size_t from) {
  std::size_t depth = 0;
  for (std::size_t i = from; i < line.size();) {
    if (const std::size_t end = behind_variable(line, i); end != i) {
      i = end;
    } else if (line[i] == '"' || line[i] == '\'') {
      i = behind_quotes(line, i);
    } else {
      if (opens(line[i])) ++depth;
      if (closes(line[i]) && --depth == 0) return i + 1;
      ++i;
    }
  }
  return line.size();
}

// `, name: ` begins here: the next entry of a map in brackets.
bool is_next_entry(std::string_view line, std::size_t at) {
  if (line[at] != ',') return false;
  std::size_t i = line.find_first_not_of(" \t", at + 1);
  if (i == kNowhere) return true;
  while (i < line.size() && !is_blank(line[i]) && line[i] != ':') ++i;
  while (i < line.size() && is_blank(line[i])) ++i;
  return i < line.size() && line[i] == ':' && (i + 1 == line.size() || is_blank(line[i + 1]));
}

bool in_brackets(std::string_view before) {
  const auto count = [before](auto is) { return std::count_if(before.begin(), before.end(), is); };
  return count(opens) > count(closes);
}

// The key that ends in front of the colon, without quotes.
std::string_view key_before(std::string_view line, std::size_t colon) {
  std::string_view key = line.substr(0, colon);
  while (!key.empty() && is_blank(key.back())) key.remove_suffix(1);
  if (!key.empty() && (key.back() == '"' || key.back() == '\'')) key.remove_suffix(1);
  const std::size_t begin = key.find_last_of(" \t,{[\"'");
  return begin == kNowhere ? key : key.substr(begin + 1);
}

}  // namespace

MaskedLine::MaskedLine(std::string_view line) : line_(line) {
  for (std::size_t at = 0; (at = line.find("://", at)) != kNowhere;) {
    at += 3;
    const std::string_view rest = line.substr(at, line.find_first_of(" \t\"'", at) - at);
    const std::size_t end = rest.rfind('@');
    if (end != kNowhere && !only_variables(rest.substr(0, end))) hide(at, at + end);
  }
}

void MaskedLine::hide_value(std::size_t from) {
  if (from >= line_.size()) return;
  const std::size_t to = end_of_value(from);
  if (!only_variables(line_.substr(from, to - from))) hide(from, to);
}

void MaskedLine::hide_values_of(const std::vector<std::string>& names) {
  for (std::size_t colon = 0; (colon = line_.find(':', colon)) != kNowhere; ++colon) {
    const std::string_view key = key_before(line_, colon);
    if (std::find(names.begin(), names.end(), key) == names.end()) continue;
    const std::size_t value = line_.find_first_not_of(" \t", colon + 1);
    if (value != kNowhere && (value > colon + 1 || line_[value] == '"' || line_[value] == '\''))
      hide_value(value);
  }
}

std::size_t MaskedLine::end_of_value(std::size_t from) const {
  const char first = line_[from];
  if (first == '"' || first == '\'') return behind_quotes(line_, from);
  if (opens(first)) return behind_brackets(line_, from);
  const bool flow = in_brackets(line_.substr(0, from));
  std::size_t i = from;
  while (i < line_.size()) {
    if (const std::size_t end = behind_variable(line_, i); end != i) {
      i = end;
      continue;
    }
    if (is_next_entry(line_, i) || (flow && closes(line_[i]))) break;
    if (line_[i] == '#' && i > from && is_blank(line_[i - 1])) break;
    ++i;
  }
  while (i > from && is_blank(line_[i - 1])) --i;
  return i;
}

void MaskedLine::hide(std::size_t from, std::size_t to) {
  std::vector<std::pair<std::size_t, std::size_t>> apart;
  for (const auto& [begin, end] : hidden_) {
    if (end < from || to < begin) {
      apart.emplace_back(begin, end);
    } else {
      from = std::min(from, begin);
      to = std::max(to, end);
    }
  }
  apart.emplace_back(from, to);
  std::sort(apart.begin(), apart.end());
  hidden_ = std::move(apart);
}

std::string MaskedLine::text() const {
  std::string out;
  std::size_t at = 0;
  for (const auto& [from, to] : hidden_) {
    out += line_.substr(at, from - at);
    out += kStars;
    at = to;
  }
  return out += line_.substr(at);
}

std::size_t MaskedLine::moved(std::size_t byte) const {
  std::size_t stars = 0, gone = 0;
  for (const auto& [from, to] : hidden_) {
    if (byte <= from) break;
    if (byte < to) return from + stars - gone;
    stars += kStars.size();
    gone += to - from;
  }
  return byte + stars - gone;
}

}  // namespace streamd
