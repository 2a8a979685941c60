// SPDX-License-Identifier: Apache-2.0
// Texts that are keys with values: key=value lines (logfmt and its relatives), and the events that
// security devices send as CEF and LEEF. Safe on any bytes; time is linear in the text.
//
// Keys and values are slices of the text, or of the arena where something had to be unescaped. A
// reader that says no has set `why`, for people, with the byte (from 0) where there is one.
#pragma once

#include "engine/core/arena.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

struct TextPair {
  std::string_view key, value;
};
using TextPairs = std::vector<TextPair>;
inline constexpr std::size_t kMaxTextPairs = 1000;  // more in one text is an error

struct KvFormat {
  std::string separator = "=";  // between key and value
  std::string between = " ";    // each of these characters ends a pair; none of `separator`
  std::string quotes = "\"'";   // around values that may hold them; \ escapes inside
};
// Appends the pairs in their order; what stands between them and has no separator is skipped. False
// when there is no pair at all, a quote does not close, or there are too many.
bool read_kv(std::string_view text, const KvFormat& format, Arena& arena, TextPairs& pairs,
             std::string& why);

// The parts of an event's first line, in the order in which the format has them.
struct EventHeader {
  // CEF: version, vendor, product, product version, class id, name, severity.
  // LEEF: version, vendor, product, product version, event id.
  std::array<std::string_view, 7> part;
};
// CEF:0|vendor|product|version|class|name|severity|key=value key=value. What stands before "CEF:"
// (a syslog header) is skipped. labels: a pair cs1 is named by the value of cs1Label, which goes.
bool read_cef(std::string_view text, bool labels, Arena& arena, EventHeader& header,
              TextPairs& pairs, std::string& why);
// LEEF:1.0|vendor|product|version|event|key=value<tab>key=value, and LEEF:2.0 with one part more:
// the character between pairs, itself or as x09 or 0x09.
bool read_leef(std::string_view text, Arena& arena, EventHeader& header, TextPairs& pairs,
               std::string& why);

}  // namespace streamd
