// SPDX-License-Identifier: Apache-2.0
// STIX 2.1 patterns, as far as they say "this value": [ipv4-addr:value = '192.0.2.7'], IN and
// ISSUBSET, several joined by OR; by AND only hashes of one file. Pure; safe on any bytes.
#pragma once

#include "engine/match/indicator.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::format {

struct StixValue {
  IndicatorKind kind = IndicatorKind::text;
  std::string value;
};

// Each of which alone is what the pattern means. nullopt: it says something else.
std::optional<std::vector<StixValue>> read_stix_pattern(std::string_view pattern);

}  // namespace streamd::format
