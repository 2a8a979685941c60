// SPDX-License-Identifier: Apache-2.0
// IP addresses and networks as bytes: 4 or 16 octets; a network has its prefix length behind them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::expr {

struct Address {
  std::array<char, 17> octets = {};  // 17: room for the prefix length of a network
  std::uint8_t size = 0;             // 4 or 16; a network: 5 or 17

  std::string_view bytes() const { return {octets.data(), size}; }
};

// Strict: no zone, no leading zeros, no dotted IPv4 inside IPv6. A mapped IPv4 address (hex form)
// becomes the IPv4 address.
std::optional<Address> parse_ip(std::string_view text);
// As servers log it: also dotted, ::ffff:192.0.2.1, which is what a client of IPv4 is to a socket
// of IPv6.
std::optional<Address> parse_logged_ip(std::string_view text);
// "10.0.0.0/8". Host bits stay as they are.
std::optional<Address> parse_cidr(std::string_view text);
void append_ip(std::string_view octets, std::string& out);
void append_cidr(std::string_view bytes, std::string& out);
// The IPv4 network of so many bits (0 to 32) around the address, as text: 203.0.113.0/24. It stands
// in the given room.
constexpr std::size_t kV4NetworkRoom = 4 * 4 + 3;
std::string_view write_v4_network(std::uint32_t address, unsigned bits,
                                  std::array<char, kV4NetworkRoom>& text);

// True when the first `bits` bits agree and both have the same size.
bool same_prefix(std::string_view a, std::string_view b, unsigned bits);

}  // namespace streamd::expr
