// SPDX-License-Identifier: Apache-2.0
// The formats whose lines are ranges of IPv4 addresses: DShield's block list, PeerGuardian, eMule.
#include "lists/format/line_cursor.h"
#include "lists/format/read_list.h"

#include <array>
#include <charconv>
#include <string>

namespace streamd::format {
namespace {

// Numbers may have zeros in front: 001.009.096.105.
std::optional<IpAddress> padded_v4(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool first = i == 0 || text[i - 1] == '.';
    std::size_t zeros = i;
    while (first && zeros + 1 < text.size() && text[zeros] == '0' && text[zeros + 1] >= '0' &&
           text[zeros + 1] <= '9')
      ++zeros;
    i = zeros;
    plain += text[i];
  }
  std::uint32_t address = 0;
  if (text.size() > 15 || !parse_v4(plain, address)) return std::nullopt;
  return IpAddress{false, address};
}

std::string_view add_range(std::string_view range, EntryWriter& to, const FoundEntry& entry) {
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return "is no range of addresses";
  const auto first = padded_v4(blank_trimmed(range.substr(0, dash)));
  const auto last = padded_v4(blank_trimmed(range.substr(dash + 1)));
  if (!first || !last) return "is no range of addresses";
  return to.add_range(*first, *last, entry);
}

// "1.2.3.4 - 1.2.3.9 , 100 , name": levels of 128 and more are let through. False: the
// line is not of that kind.
bool read_emule(std::string_view line, std::string_view& range, std::string_view& name,
                unsigned& level) {
  const std::size_t comma = line.find(',');
  if (comma == std::string_view::npos) return false;
  range = line.substr(0, comma);
  if (range.find_first_not_of("0123456789.- \t") != std::string_view::npos) return false;
  const std::string_view rest = line.substr(comma + 1);
  const std::size_t second = rest.find(',');
  const std::string_view digits = blank_trimmed(rest.substr(0, second));
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), level);
  if (problem != std::errc() || end != digits.data() + digits.size()) return false;
  name = second == std::string_view::npos ? std::string_view{}
                                          : blank_trimmed(rest.substr(second + 1));
  return true;
}

}  // namespace

Status read_p2p(const FormatConfig&, std::string_view text, EntryWriter& to, ListReading& reading) {
  constexpr unsigned kLetThrough = 128;
  LineCursor lines(text);
  std::string_view line;
  while (lines.next(line)) {
    reading.count = lines.number();
    if (line.empty() || line.front() == '#' || line.front() == ';' || line.starts_with("//"))
      continue;
    FoundEntry entry;
    std::string_view range;
    unsigned level = 0;
    if (!read_emule(line, range, entry.comment, level)) {
      level = 0;
      const std::size_t colon = line.rfind(':');
      range = line.substr(colon == std::string_view::npos ? 0 : colon + 1);
      entry.comment = blank_trimmed(line.substr(0, line.size() - range.size()));
      if (entry.comment.ends_with(':')) entry.comment.remove_suffix(1);
    }
    if (level >= kLetThrough) continue;
    if (const auto why = add_range(range, to, entry); !why.empty())
      reading.broken.add(lines.number(), line, why);
  }
  return {};
}

Status read_dshield(const FormatConfig&, std::string_view text, EntryWriter& to,
                    ListReading& reading) {
  LineCursor lines(text);
  std::string_view line;
  while (lines.next(line)) {
    reading.count = lines.number();
    if (line.empty() || line.front() == '#' || line.starts_with("Start")) continue;
    std::array<std::string_view, 6> cells;  // begin, end, size, attacks, name, country
    std::string_view rest = line;
    for (auto& cell : cells) {
      const std::size_t tab = rest.find('\t');
      cell = blank_trimmed(rest.substr(0, tab));
      rest.remove_prefix(tab == std::string_view::npos ? rest.size() : tab + 1);
    }
    const auto first = padded_v4(cells[0]), last = padded_v4(cells[1]);
    const auto attacks = read_list_score(cells[3]);
    if (!first || !last || !attacks) {
      reading.broken.add(lines.number(), line, "is no line of a DShield block list");
      continue;
    }
    FoundEntry entry;
    entry.score = *attacks;
    std::string comment(cells[4]);
    if (!cells[5].empty()) comment += (comment.empty() ? "" : ", ") + std::string(cells[5]);
    entry.comment = comment;
    if (const auto why = to.add_range(*first, *last, entry); !why.empty())
      reading.broken.add(lines.number(), line, why);
  }
  return {};
}

}  // namespace streamd::format
