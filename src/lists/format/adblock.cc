// SPDX-License-Identifier: Apache-2.0
#include "lists/format/line_cursor.h"
#include "lists/format/read_list.h"

#include <algorithm>
#include <array>

namespace streamd::format {
namespace {

// Whether a rule with these options is still about all that the domain serves.
bool is_about_all(std::string_view options) {
  constexpr std::array<std::string_view, 8> kHarmless = {
      "important", "all", "document", "doc", "third-party", "3p", "popup", "strict3p"};
  while (!options.empty()) {
    const std::size_t comma = options.find(',');
    const std::string_view option = blank_trimmed(options.substr(0, comma));
    if (std::find(kHarmless.begin(), kHarmless.end(), option) == kHarmless.end()) return false;
    options.remove_prefix(comma == std::string_view::npos ? options.size() : comma + 1);
  }
  return true;
}

// The domain of a rule that is about a whole one; empty: the rule is another.
std::string_view domain_of(std::string_view rule) {
  const std::size_t dollar = rule.find('$');
  if (dollar != std::string_view::npos && !is_about_all(rule.substr(dollar + 1))) return {};
  std::string_view domain = rule.substr(0, dollar);
  const bool anchored = domain.starts_with("||");
  if (anchored) domain.remove_prefix(2);
  if (domain.ends_with('|')) domain.remove_suffix(1);
  // Without || in front it is a domain only when nothing else is said.
  if (!anchored && domain.size() != rule.size()) return {};
  if (anchored && domain.ends_with('^')) domain.remove_suffix(1);
  const std::string_view key = domain_key(domain);
  const bool good = is_domain(key) && (anchored || key.find('.') != std::string_view::npos);
  return good ? domain : std::string_view{};
}

}  // namespace

Status read_adblock(const FormatConfig&, std::string_view text, EntryWriter& to,
                    ListReading& reading) {
  reading.skipped_are = "lines are rules about something else than a whole domain";
  LineCursor lines(text);
  std::string_view line;
  while (lines.next(line)) {
    reading.count = lines.number();
    if (line.empty() || line.front() == '!' || line.front() == '[') continue;
    const bool cosmetic = line.find("##") != std::string_view::npos ||
                          line.find("#@#") != std::string_view::npos ||
                          line.find("#?#") != std::string_view::npos;
    if (line.front() == '#' && !cosmetic) continue;
    FoundEntry entry;
    entry.exception = line.starts_with("@@");
    entry.value = cosmetic ? std::string_view{} : domain_of(line.substr(entry.exception ? 2 : 0));
    std::uint32_t address = 0;
    entry.kind = parse_v4(entry.value, address) ? IndicatorKind::address : IndicatorKind::domain;
    if (entry.value.empty())
      ++reading.skipped;
    else if (const auto why = to.add(entry); !why.empty())
      reading.broken.add(lines.number(), line, why);
  }
  return {};
}

}  // namespace streamd::format
