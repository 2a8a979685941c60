// SPDX-License-Identifier: Apache-2.0
#include "lists/format/read_list.h"

#include "engine/core/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

format::Reader reader_of(ListFormat format) {
  switch (format) {
    case ListFormat::lines: return format::read_lines;
    case ListFormat::csv: return format::read_csv;
    case ListFormat::hosts: return format::read_hosts;
    case ListFormat::dshield: return format::read_dshield;
    case ListFormat::p2p: return format::read_p2p;
    case ListFormat::adblock: return format::read_adblock;
    case ListFormat::json: return format::read_json;
    case ListFormat::stix: return format::read_stix;
  }
  return nullptr;
}

}  // namespace

std::string ListReading::remark() const {
  std::string out = broken.text(count);
  if (skipped > 0)
    out += fmt::format("{}{} of {} {}", out.empty() ? "" : "; ", skipped, count, skipped_are);
  return out;
}

Result<ListReading> read_list(const FormatConfig& config, std::string_view text, EventTime now,
                              IndicatorListBuilder& builder) {
  const auto read = reader_of(config.format);
  STREAMD_CHECK(read != nullptr, "every format has a reader");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  EntryWriter writer(builder, config.defaults, now);
  if (config.format != ListFormat::json && config.format != ListFormat::stix)
    writer.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1,
                   text.size());
  ListReading reading;
  STREAMD_TRY(read(config, text, writer, reading));
  reading.next_begin = writer.next_begin();
  return reading;
}

}  // namespace streamd
