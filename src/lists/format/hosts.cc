// SPDX-License-Identifier: Apache-2.0
#include "lists/format/line_cursor.h"
#include "lists/format/read_list.h"

#include <algorithm>
#include <array>

namespace streamd::format {
namespace {

// Names of the machine itself that every hosts file begins with.
bool is_of_the_machine(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {
      "localhost", "localhost.localdomain", "localhost4", "localhost6",
      "local",     "broadcasthost",         "0.0.0.0"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.starts_with("ip6-");
}

}  // namespace

Status read_hosts(const FormatConfig&, std::string_view text, EntryWriter& to,
                  ListReading& reading) {
  LineCursor lines(text);
  std::string_view line;
  while (lines.next(line)) {
    reading.count = lines.number();
    const std::size_t hash = line.find('#');
    std::string_view rest = line.substr(0, hash);
    const std::string_view address = next_word(rest);
    if (address.empty()) continue;
    const std::string_view zone_free = address.substr(0, address.find('%'));
    if (!parse_address(zone_free)) {
      reading.broken.add(lines.number(), address, "is no address at the start of a hosts line");
      continue;
    }
    FoundEntry entry;
    entry.kind = IndicatorKind::domain;
    if (hash != std::string_view::npos) entry.comment = blank_trimmed(line.substr(hash + 1));
    for (auto name = next_word(rest); !name.empty(); name = next_word(rest)) {
      if (is_of_the_machine(name)) continue;
      entry.value = name;
      if (const auto why = to.add(entry); !why.empty())
        reading.broken.add(lines.number(), name, why);
    }
  }
  return {};
}

}  // namespace streamd::format
