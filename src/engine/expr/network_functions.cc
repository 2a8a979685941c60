// SPDX-License-Identifier: Apache-2.0
// ip(), cidr() and their methods.
#include "engine/expr/network_functions.h"

#include "engine/expr/functions.h"
#include "engine/expr/network.h"
#include "engine/expr/scalar.h"
#include "engine/match/address.h"

#include <array>
#include <string>

namespace streamd::expr {
namespace {

Value mismatch(const Call& c) {
  return no_overload(c.context, c.node.function->name, c.args, c.count);
}

std::string_view octets_of(const Value& network) {
  return network.text().substr(0, network.size() - 1);
}
unsigned prefix_of(const Value& network) {
  return static_cast<unsigned char>(network.text().back());
}

template <std::optional<Address> (*Parse)(std::string_view)>
Value to_ip(const Call& c) {
  if (c[0].is(Kind::ip)) return c[0];
  if (!c[0].is(Kind::string)) return mismatch(c);
  const auto address = Parse(c[0].text());
  if (!address) return failure(c.context, "\"" + std::string(c[0].text()) + "\" is no IP address");
  return Value::ip(c.context.arena.copy(address->bytes()));
}

Value to_cidr(const Call& c) {
  if (c[0].is(Kind::cidr)) return c[0];
  if (!c[0].is(Kind::string)) return mismatch(c);
  const auto network = parse_cidr(c[0].text());
  if (!network)
    return failure(c.context,
                   "\"" + std::string(c[0].text()) + "\" is no network such as 10.0.0.0/8");
  return Value::cidr(c.context.arena.copy(network->bytes()));
}

Value is_ip(const Call& c) {
  if (!c[0].is(Kind::string)) return mismatch(c);
  return Value::boolean(parse_ip(c[0].text()).has_value());
}
Value is_cidr(const Call& c) {
  if (!c[0].is(Kind::string)) return mismatch(c);
  return Value::boolean(parse_cidr(c[0].text()).has_value());
}

Value is_canonical(const Call& c) {
  if (!c[0].is(Kind::string)) return mismatch(c);
  const auto address = parse_ip(c[0].text());
  if (!address) return failure(c.context, "\"" + std::string(c[0].text()) + "\" is no IP address");
  std::string text;
  append_ip(address->bytes(), text);
  return Value::boolean(text == c[0].text());
}

Value family(const Call& c) {
  return c[0].is(Kind::ip) ? Value::int64(c[0].size() == 4 ? 4 : 6) : mismatch(c);
}

template <bool (*Test)(std::string_view)>
Value test_ip(const Call& c) {
  return c[0].is(Kind::ip) ? Value::boolean(Test(c[0].text())) : mismatch(c);
}

unsigned octet(std::string_view a, std::size_t i) { return static_cast<unsigned char>(a[i]); }

bool unspecified(std::string_view a) {
  for (const char c : a)
    if (c != 0) return false;
  return true;
}
bool loopback(std::string_view a) {
  if (a.size() == 4) return octet(a, 0) == 127;
  return unspecified(a.substr(0, 15)) && octet(a, 15) == 1;
}
bool multicast(std::string_view a) {
  return a.size() == 4 ? (octet(a, 0) & 0xF0) == 0xE0 : octet(a, 0) == 0xFF;
}
bool link_local_unicast(std::string_view a) {
  if (a.size() == 4) return octet(a, 0) == 169 && octet(a, 1) == 254;
  return octet(a, 0) == 0xFE && (octet(a, 1) & 0xC0) == 0x80;
}
bool link_local_multicast(std::string_view a) {
  if (a.size() == 4) return octet(a, 0) == 224 && octet(a, 1) == 0 && octet(a, 2) == 0;
  return octet(a, 0) == 0xFF && (octet(a, 1) & 0x0F) == 0x02;
}
bool global_unicast(std::string_view a) {
  const bool broadcast = a == std::string_view("\xFF\xFF\xFF\xFF", 4);
  return !broadcast && !unspecified(a) && !loopback(a) && !multicast(a) && !link_local_unicast(a);
}
bool private_use(std::string_view a) {
  if (a.size() == 16) return (octet(a, 0) & 0xFE) == 0xFC;
  return octet(a, 0) == 10 || (octet(a, 0) == 172 && (octet(a, 1) & 0xF0) == 16) ||
         (octet(a, 0) == 192 && octet(a, 1) == 168);
}

Value contains_ip(const Call& c) {
  if (!c[0].is(Kind::cidr)) return mismatch(c);
  const std::string_view network = octets_of(c[0]);
  if (c[1].is(Kind::ip)) return Value::boolean(same_prefix(network, c[1].text(), prefix_of(c[0])));
  if (!c[1].is(Kind::string)) return mismatch(c);
  const auto address = parse_ip(c[1].text());
  if (!address) return failure(c.context, "\"" + std::string(c[1].text()) + "\" is no IP address");
  return Value::boolean(same_prefix(network, address->bytes(), prefix_of(c[0])));
}

Value contains_cidr(const Call& c) {
  if (!c[0].is(Kind::cidr)) return mismatch(c);
  Address parsed;
  Value inner = c[1];
  if (inner.is(Kind::string)) {
    const auto network = parse_cidr(inner.text());
    if (!network) return failure(c.context, "\"" + std::string(inner.text()) + "\" is no network");
    parsed = *network;
    inner = Value::cidr(parsed.bytes());
  }
  if (!inner.is(Kind::cidr)) return mismatch(c);
  return Value::boolean(prefix_of(inner) >= prefix_of(c[0]) &&
                        same_prefix(octets_of(c[0]), octets_of(inner), prefix_of(c[0])));
}

Value address_of(const Call& c) {
  return c[0].is(Kind::cidr) ? Value::ip(octets_of(c[0])) : mismatch(c);
}
Value prefix_length(const Call& c) {
  return c[0].is(Kind::cidr) ? Value::int64(prefix_of(c[0])) : mismatch(c);
}

// The network of so many bits that holds the address.
Value network_around(std::string_view address, unsigned bits, Arena& arena) {
  std::array<char, 17> bytes;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const unsigned kept = bits > i * 8 ? std::min(bits - static_cast<unsigned>(i) * 8, 8u) : 0;
    bytes[i] = static_cast<char>(octet(address, i) & (0xFF00u >> kept));
  }
  bytes[address.size()] = static_cast<char>(bits);
  return Value::cidr(arena.copy({bytes.data(), address.size() + 1}));
}

Value masked(const Call& c) {
  if (!c[0].is(Kind::cidr)) return mismatch(c);
  return network_around(octets_of(c[0]), prefix_of(c[0]), c.context.arena);
}

// How long the prefix is around an address of so many octets: the second argument for IPv4, the
// third for IPv6.
Value prefix_for(const Call& c, std::size_t octets) {
  const bool v4 = octets == 4;
  const Value& bits = c[v4 ? 1 : 2];
  if (!bits.is(Kind::int64)) return mismatch(c);
  if (bits.as_int() < 0 || bits.as_int() > static_cast<std::int64_t>(octets) * 8)
    return failure(c.context, std::to_string(bits.as_int()) + " is no prefix length of " +
                                  (v4 ? "an IPv4" : "an IPv6") + " network");
  return bits;
}

Value network_by_family(const Call& c, std::string_view address) {
  const Value bits = prefix_for(c, address.size());
  if (!bits.is(Kind::int64)) return bits;
  return network_around(address, static_cast<unsigned>(bits.as_int()), c.context.arena);
}

Value network_of(const Call& c) {
  // It is no function of CEL's, so nothing forbids what CEL's ip() refuses.
  const Value ip = to_ip<parse_logged_ip>(c);
  return ip.is(Kind::ip) ? network_by_family(c, ip.text()) : ip;
}

Value network_name(const Call& c) {
  if (!c[0].is(Kind::string) && !c[0].is(Kind::ip)) return mismatch(c);
  Address read;
  std::string_view address = c[0].text();
  if (std::uint32_t v4 = 0; c[0].is(Kind::string) && parse_v4(address, v4)) {
    const Value bits = prefix_for(c, 4);
    if (!bits.is(Kind::int64)) return bits;
    std::array<char, kV4NetworkRoom> text;
    return Value::string(
        c.context.arena.copy(write_v4_network(v4, static_cast<unsigned>(bits.as_int()), text)));
  }
  if (c[0].is(Kind::string)) {
    const auto parsed = parse_logged_ip(address);
    if (!parsed) return c[0];
    read = *parsed;
    address = read.bytes();
  }
  const Value network = network_by_family(c, address);
  if (!network.is(Kind::cidr)) return network;
  thread_local std::string text;
  text.clear();
  append_cidr(network.text(), text);
  return Value::string(c.context.arena.copy(text));
}

constexpr TypeSet kIp = set_of(Type::ip), kCidr = set_of(Type::cidr);
constexpr TypeSet kIpText = set_of(Type::ip, Type::string);
constexpr TypeSet kInt = set_of(Type::int64);
constexpr TypeSet kCidrText = set_of(Type::cidr, Type::string);
constexpr auto kGlobal = CallStyle::global;
constexpr auto kMember = CallStyle::member;

constexpr std::array kTable = {
    Function{"ip", kGlobal, 1, 1, Type::ip, {kIpText}, to_ip<parse_ip>}.doc(
        "Address, IPv4 or IPv6. A text that is none fails.",
        "ip('::ffff:c000:201') == ip('192.0.2.1')"),
    Function{"cidr", kGlobal, 1, 1, Type::cidr, {kCidrText}, to_cidr}.doc(
        "Network. A text that is none fails.", "cidr('10.0.0.0/8').contains(ip('10.1.2.3'))"),
    Function{"isIP", kGlobal, 1, 1, Type::boolean, {kText}, is_ip}.doc(
        "Whether the text is an address.", "isIP('192.0.2.1') && !isIP('example.org')"),
    Function{"isCIDR", kGlobal, 1, 1, Type::boolean, {kText}, is_cidr}.doc(
        "Whether the text is a network.", "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/33')"),
    Function{"ip.isCanonical", kGlobal, 1, 1, Type::boolean, {kText}, is_canonical}.doc(
        "Whether the address is written in its normal form.", "!ip.isCanonical('2001:DB8::1')"),
    Function{"family", kMember, 1, 1, Type::int64, {kIp}, family}.doc("4 or 6.",
                                                                      "ip('::1').family() == 6"),
    Function{"isLoopback", kMember, 1, 1, Type::boolean, {kIp}, test_ip<loopback>}.doc(
        "Whether it is this machine itself.", "ip('127.0.0.1').isLoopback()"),
    Function{"isUnspecified", kMember, 1, 1, Type::boolean, {kIp}, test_ip<unspecified>}.doc(
        "Whether it is 0.0.0.0 or ::.", "ip('::').isUnspecified()"),
    Function{"isGlobalUnicast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<global_unicast>}.doc(
        "Whether it is none of the special ones above and below; private addresses are not "
        "special.",
        "ip('10.1.1.1').isGlobalUnicast()"),
    Function{"isLinkLocalUnicast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<link_local_unicast>}
        .doc("Whether it is in 169.254.0.0/16 or fe80::/10.",
             "ip('169.254.1.1').isLinkLocalUnicast()"),
    Function{
        "isLinkLocalMulticast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<link_local_multicast>}
        .doc("Whether it is in 224.0.0.0/24 or ff02::/16.", "ip('ff02::1').isLinkLocalMulticast()"),
    Function{"isMulticast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<multicast>}.doc(
        "Whether it is in 224.0.0.0/4 or ff00::/8.", "ip('239.1.1.1').isMulticast()"),
    Function{"isPrivate", kMember, 1, 1, Type::boolean, {kIp}, test_ip<private_use>}.doc(
        "Whether it is in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7.",
        "ip('172.16.0.1').isPrivate()"),
    Function{"containsIP", kMember, 2, 2, Type::boolean, {kCidr, kIpText}, contains_ip}.doc(
        "Whether the address is in the network.", "cidr('10.0.0.0/8').containsIP('10.1.2.3')"),
    Function{"containsCIDR", kMember, 2, 2, Type::boolean, {kCidr, kCidrText}, contains_cidr}.doc(
        "Whether all of the other network is in this one.",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')"),
    Function{"ip", kMember, 1, 1, Type::ip, {kCidr}, address_of}.doc(
        "The address of the network.", "cidr('10.1.2.3/12').ip() == ip('10.1.2.3')"),
    Function{"prefixLength", kMember, 1, 1, Type::int64, {kCidr}, prefix_length}.doc(
        "Its prefix length.", "cidr('10.0.0.0/8').prefixLength() == 8"),
    Function{"network", kGlobal, 3, 3, Type::cidr, {kIpText, kInt, kInt}, network_of}.doc(
        "The network around an address, by prefix lengths for IPv4 and IPv6. Takes mapped "
        "addresses as servers log them.",
        "network('203.0.113.77', 24, 48) == cidr('203.0.113.0/24')"),
    Function{"masked", kMember, 1, 1, Type::cidr, {kCidr}, masked}.doc(
        "Without its host bits.", "cidr('10.1.2.3/12').masked() == cidr('10.0.0.0/12')"),
    Function{"networkName", kGlobal, 3, 3, Type::string, {kIpText, kInt, kInt}, network_name}.doc(
        "The network around an address as text, to group by. A text that is no address stays "
        "what it is.",
        "networkName('203.0.113.77', 24, 48) == '203.0.113.0/24' && "
        "networkName('example.org', 24, 48) == 'example.org'"),
};

}  // namespace

std::span<const Function> network_functions() { return kTable; }

Value network_contains(const Call& call) { return contains_ip(call); }

}  // namespace streamd::expr
