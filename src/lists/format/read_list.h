// SPDX-License-Identifier: Apache-2.0
// read_list: a text of some format becomes entries of a list. Pure; safe on any bytes.
#pragma once

#include "engine/core/error.h"
#include "lists/format/entry_writer.h"
#include "lists/format/list_format.h"
#include "lists/list_lines.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace streamd {

struct ListReading {
  std::size_t count = 0;  // lines, or items of JSON and STIX
  BrokenLines broken;
  std::size_t skipped = 0;  // understood, but nothing that a list can hold
  std::string_view skipped_are = "";
  EventTime next_begin = EventTime::max();  // an entry comes into force then

  // One sentence for the log; empty: nothing to say.
  std::string remark() const;
};

// Error (external): the text as a whole is not of this format, or not all of it is there.
Result<ListReading> read_list(const FormatConfig& config, std::string_view text, EventTime now,
                              IndicatorListBuilder& builder);

// What the formats are made of; used by read_list.
namespace format {

using Reader = Status (*)(const FormatConfig&, std::string_view text, EntryWriter&, ListReading&);
Status read_lines(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);
Status read_csv(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);
Status read_hosts(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);
Status read_dshield(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);
Status read_p2p(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);
Status read_adblock(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);
Status read_json(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);
Status read_stix(const FormatConfig&, std::string_view, EntryWriter&, ListReading&);

}  // namespace format

}  // namespace streamd
