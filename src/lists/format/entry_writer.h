// SPDX-License-Identifier: Apache-2.0
// EntryWriter: what a format's reader found goes through here into a list: defaults, ranges of
// addresses, entries that have ended or have not begun. One list; one thread.
#pragma once

#include "engine/match/indicator_list.h"
#include "lists/format/list_format.h"

#include <cstdint>
#include <string_view>

namespace streamd {

// Views are copied by add(). Empty texts and EventTime::min(): not known.
struct FoundEntry {
  std::string_view value;  // also "first-last" of addresses, or an address with a port
  IndicatorKind kind = IndicatorKind::automatic;
  std::string_view comment, type, source, tags;
  std::optional<double> score;
  EventTime first_seen = EventTime::min();
  EventTime last_seen = EventTime::min();
  EventTime begins = EventTime::min();
  EventTime expires = EventTime::max();
  bool exception = false;
};

class EntryWriter {
 public:
  // `now`: what has ended by then is left out, and so is what begins later.
  EntryWriter(IndicatorListBuilder& builder, const ListDefaults& defaults, EventTime now);

  // Why it cannot be an entry; empty: it is one, or left out.
  std::string_view add(const FoundEntry& entry);
  // All addresses from first to last, as networks.
  std::string_view add_range(const IpAddress& first, const IpAddress& last,
                             const FoundEntry& entry);
  void reserve(std::size_t entries, std::size_t text_bytes) {
    builder_.reserve(entries, text_bytes);
  }
  // When the first of those begins that have not begun.
  EventTime next_begin() const { return next_begin_; }

 private:
  std::uint32_t info_of(const FoundEntry& entry);
  bool in_force(const FoundEntry& entry);
  std::string_view add_one(const FoundEntry& entry, std::string_view value, IndicatorKind kind);

  IndicatorListBuilder& builder_;
  const EventTime now_;
  IndicatorInfo defaults_;
  std::uint32_t default_info_ = 0;
  IndicatorInfo last_;
  std::uint32_t last_info_ = 0;
  EventTime next_begin_ = EventTime::max();
};

// Cells of a feed. nullopt: neither a time (see the docs of columns.first_seen) nor empty.
// `unknown`: what an empty cell, "-", "none", "null", "n/a" mean.
std::optional<EventTime> read_list_time(std::string_view text, EventTime unknown);
// The same for numbers; the inner one is empty where nothing stands.
std::optional<std::optional<double>> read_list_score(std::string_view text);

}  // namespace streamd
