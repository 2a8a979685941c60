// SPDX-License-Identifier: Apache-2.0
// Settings of the generate source and of the command of that name: one declaration, so that both
// refuse the same.
#pragma once

#include "engine/api/spec.h"
#include "sources/nginx_traffic.h"

#include <cstdint>
#include <optional>
#include <string>

namespace streamd {

enum class TrafficKind : std::uint8_t { nginx };

struct GenerateConfig {
  TrafficKind kind = TrafficKind::nginx;
  std::uint64_t rate = 1000;
  std::uint64_t count = 0;
  std::uint64_t seed = 1;
  std::uint64_t clients = 100'000;
  std::uint64_t hosts = 40;
  std::uint64_t attackers = 5;
  std::uint64_t partitions = 1;
  double skew = 0.5;
  double speed = 0;
  Duration disorder{};
  std::string start = "2024-01-01T00:00:00Z";
};

Spec<GenerateConfig> generate_spec();
// What the settings, which were read from `node`, mean; nullopt: a problem was reported.
std::optional<TrafficConfig> traffic_of(const GenerateConfig& config, const ConfigNode& node,
                                        Diagnostics& problems);

}  // namespace streamd
