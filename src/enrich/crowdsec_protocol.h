// SPDX-License-Identifier: Apache-2.0
// Kind crowdsec: GET /v1/decisions?ip=… of CrowdSec's local API. Private to the folder.
#pragma once

#include "enrich/config.h"
#include "enrich/protocol.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace streamd::enrich {

// What a field may come from.
enum class Decision : std::uint8_t { type, scenario, origin, scope, value, until, count };
inline constexpr std::array<std::string_view, 7> kDecisionNames = {
    "type", "scenario", "origin", "scope", "value", "until", "count"};

// Reports wrong names in `fields` and a wrong `url`.
void check_crowdsec(const Config& config, const ConfigNode& node, Diagnostics& problems);

// The config was checked.
std::unique_ptr<Protocol> make_crowdsec_protocol(const Config& config);

// The answer to /v1/decisions: null, or a list of decisions on one address. Durations count from
// `wall`; simulated and ended decisions are left out. Error: no such list. Safe on any bytes.
Status read_decisions(const http::Response& response, EventTime wall,
                      const std::vector<Decision>& wanted, Question& question);

}  // namespace streamd::enrich
