// SPDX-License-Identifier: Apache-2.0
#include "lists/list_lines.h"

#include <fmt/format.h>

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

void BrokenLines::add(std::size_t number, std::string_view value, std::string_view why) {
  if (++count_ > kNamed) return;
  first_ +=
      fmt::format("{}{} {}: \"{}\" {}", count_ > 1 ? "; " : "", one_, number, shown(value), why);
}

std::string BrokenLines::text(std::size_t all) const {
  if (count_ == 0) return {};
  return fmt::format("{} of {} {} could not be used: {}{}", count_, all, many_, first_,
                     count_ > kNamed ? "; …" : "");
}

}  // namespace streamd
