// SPDX-License-Identifier: Apache-2.0
#include "lists/format/line_cursor.h"
#include "lists/format/read_list.h"

namespace streamd::format {

Status read_lines(const FormatConfig& config, std::string_view text, EntryWriter& to,
                  ListReading& reading) {
  const IndicatorKind kind = kind_of(config.entries);
  LineCursor lines(text);
  std::string_view line;
  while (lines.next(line)) {
    reading.count = lines.number();
    const ListLine parts = split_list_line(line);
    if (parts.value.empty() && parts.comment.empty()) continue;
    FoundEntry entry;
    entry.value = parts.value;
    entry.kind = kind;
    entry.comment = parts.comment;
    if (const auto why = to.add(entry); !why.empty())
      reading.broken.add(lines.number(), parts.value, why);
  }
  return {};
}

}  // namespace streamd::format
