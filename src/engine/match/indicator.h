// SPDX-License-Identifier: Apache-2.0
// Indicator: one entry of an indicator list as it is found, and how a written one is understood.
#pragma once

#include "engine/core/time.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamd {

// What an entry is. automatic: an address or network, else a domain (has a dot), else a text.
enum class IndicatorKind : std::uint8_t { automatic, address, domain, text };

// What is known of an entry beside its value. Each list says which of them it can have.
enum class IndicatorField : std::uint8_t {
  comment,
  type,      // of the decision or threat: ban, captcha, botnet
  scenario,  // what was done: crowdsecurity/http-probing
  origin,    // who says so, inside the source: CAPI, cscli
  scope,     // Ip, Range, Country, AS
  source,    // where the list got it: a file, a feed
  tags,      // separated by commas
  score,
  first_seen,
  last_seen,
  expires,
};
inline constexpr std::array<std::string_view, 11> kIndicatorFieldNames = {
    "comment", "type",  "scenario",   "origin",    "scope",  "source",
    "tags",    "score", "first_seen", "last_seen", "expires"};

// A set of them.
using IndicatorFields = std::uint32_t;
constexpr IndicatorFields fields_of() { return 0; }
template <class... F>
constexpr IndicatorFields fields_of(IndicatorField first, F... rest) {
  return 1u << static_cast<unsigned>(first) | fields_of(rest...);
}
constexpr bool holds(IndicatorFields fields, IndicatorField f) {
  return (fields & fields_of(f)) != 0;
}

// What many entries have in common. Empty texts, EventTime::min() and has_score = false: not known.
struct IndicatorInfo {
  std::string type, scenario, origin, scope, source, tags;
  double score = 0;
  bool has_score = false;
  EventTime first_seen = EventTime::min();
  EventTime last_seen = EventTime::min();
};

// Views live as long as the list.
struct Indicator {
  std::string_view value;  // as written in the list
  std::string_view comment;
  const IndicatorInfo* info = nullptr;
  EventTime expires = EventTime::max();
};

// A domain without what does not count: "*.", a dot in front or at the end.
std::string_view domain_key(std::string_view text);
// Labels of 1 to 63 allowed bytes, at most 253 in all. IDN as it comes, UTF-8 or punycode.
bool is_domain(std::string_view key);

}  // namespace streamd
