// SPDX-License-Identifier: Apache-2.0
// Endpoint: where messages come in or go out, as a user writes it: udp://0.0.0.0:514,
// tcp://[::]:601, tls://logs.example.com:6514, unix:/run/streamd/log. Immutable; any thread.
#pragma once

#include "engine/api/field_type.h"
#include "engine/core/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::net {

enum class Transport : std::uint8_t { udp, tcp, tls, unix_datagram };

struct Endpoint {
  Transport transport = Transport::udp;
  std::string host;  // name or address without brackets; empty: every address of this machine
  std::uint16_t port = 0;
  std::string path;  // unix

  bool stream() const { return transport == Transport::tcp || transport == Transport::tls; }
  std::string text() const;  // as it was written
};

// Errors say what is wrong and how it is written. Names are not looked up.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace streamd::net

namespace streamd {

template <>
struct FieldType<net::Endpoint> {
  static bool read(const ConfigNode& node, net::Endpoint& into, Diagnostics& problems);
  static std::string name();
  static std::string json_schema();
  static std::string show(const net::Endpoint& value);
};

}  // namespace streamd
