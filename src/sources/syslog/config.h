// SPDX-License-Identifier: Apache-2.0
// Settings of the syslog source. Private to the source.
#pragma once

#include "engine/api/spec.h"
#include "engine/io/http/config.h"
#include "engine/io/net/endpoint.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::syslog {

enum class Framing : std::uint8_t { automatic, counted, lf, nul };

struct Config {
  std::vector<net::Endpoint> listen;
  std::uint64_t sockets = 0;  // 0: one for each worker
  ByteSize receive_buffer{std::uint64_t{8} << 20};
  Framing framing = Framing::automatic;
  std::uint64_t max_per_sender = 0;  // messages a second; 0: no limit
  std::uint64_t max_connections = 10'000;
  Duration idle_timeout = Duration::from_seconds(3600);
  Duration message_timeout = Duration::from_seconds(60);
  http::TlsConfig tls;
};

Spec<Config> spec();

}  // namespace streamd::syslog

namespace streamd {

template <>
struct EnumNames<syslog::Framing> {
  static constexpr std::array<std::pair<syslog::Framing, std::string_view>, 4> values = {
      {{syslog::Framing::automatic, "auto"},
       {syslog::Framing::counted, "octet-counted"},
       {syslog::Framing::lf, "lf"},
       {syslog::Framing::nul, "nul"}}};
};

}  // namespace streamd
