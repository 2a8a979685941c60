// SPDX-License-Identifier: Apache-2.0
// Addresses and networks as numbers, read from text as logs and lists write them. More lenient than
// the expressions' ip(): a dotted IPv4 tail in IPv6 is fine, and whatever form an IPv4-mapped IPv6
// address has, it is the IPv4 address. Pure functions; nothing is allocated.
#pragma once

#include "engine/core/hash.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace streamd {

struct IpAddress {
  bool v6 = false;
  Uint128 bits = 0;  // IPv4: the low 32

  unsigned width() const { return v6 ? 128 : 32; }
  bool operator==(const IpAddress&) const = default;
};

struct IpNetwork {
  IpAddress first;      // host bits are zero
  unsigned prefix = 0;  // 0 … first.width()
};

// Strict IPv4: four decimal numbers without leading zeros.
bool parse_v4(std::string_view text, std::uint32_t& address);
// No zone, no port, no brackets.
std::optional<IpAddress> parse_address(std::string_view text);
// 4 or 16 octets in network order (Kind::ip).
std::optional<IpAddress> address_of(std::string_view octets);
// An address, or address/prefix. Host bits are cleared. A mapped network of 96 bits or more is the
// IPv4 network.
std::optional<IpNetwork> parse_network(std::string_view text);
// The octets of a network with its prefix length behind them (Kind::cidr).
std::optional<IpNetwork> network_of(std::string_view bytes);

// Written with nothing but what addresses are made of: when it is none, somebody mistyped one.
bool looks_like_address(std::string_view text);

}  // namespace streamd
