// SPDX-License-Identifier: Apache-2.0
#include "lists/list_lines.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

constexpr std::size_t kNamed = 3;
constexpr std::size_t kShown = 60;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Where the line's remark begins; size() if it has none.
std::size_t remark_at(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i)
    if ((line[i] == '#' || line[i] == ';') && (i == 0 || is_space(line[i - 1]))) return i;
  return line.size();
}

std::string shown(std::string_view value) {
  std::string out;
  for (const char c : value.substr(0, kShown))
    out += (static_cast<unsigned char>(c) < ' ' || c == 0x7F) ? '?' : c;
  return value.size() > kShown ? out + "…" : out;
}

}  // namespace

IndicatorKind kind_of(ListEntries entries) {
  switch (entries) {
    case ListEntries::automatic: return IndicatorKind::automatic;
    case ListEntries::ip: return IndicatorKind::address;
    case ListEntries::domain: return IndicatorKind::domain;
    case ListEntries::text: return IndicatorKind::text;
  }
  return IndicatorKind::automatic;
}

ListLine split_list_line(std::string_view line) {
  const std::size_t remark = remark_at(line);
  const std::string_view front = trimmed(line.substr(0, remark));
  if (front.empty()) return {};
  const std::size_t comma = front.find(',');
  const std::string_view value = trimmed(front.substr(0, comma));
  if (comma != std::string_view::npos) return {value, trimmed(front.substr(comma + 1))};
  if (remark < line.size()) return {value, trimmed(line.substr(remark + 1))};
  return {value, {}};
}

void BrokenLines::add(std::size_t line, std::string_view value, std::string_view why) {
  if (++count_ > kNamed) return;
  first_ += fmt::format("{}line {}: \"{}\" {}", count_ > 1 ? "; " : "", line, shown(value), why);
}

std::string BrokenLines::text(std::size_t lines) const {
  if (count_ == 0) return {};
  return fmt::format("{} of {} lines could not be used: {}{}", count_, lines, first_,
                     count_ > kNamed ? "; …" : "");
}

std::size_t read_list_lines(std::string_view text, ListEntries entries,
                            IndicatorListBuilder& builder, BrokenLines& broken) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  builder.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1,
                  text.size());
  std::size_t lines = 0;
  while (!text.empty()) {
    ++lines;
    const std::size_t end = text.find('\n');
    const ListLine line = split_list_line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.value.empty() && line.comment.empty()) continue;
    const auto why =
        builder.add({.value = line.value, .kind = kind_of(entries), .comment = line.comment});
    if (!why.empty()) broken.add(lines, line.value, why);
  }
  return lines;
}

}  // namespace streamd
