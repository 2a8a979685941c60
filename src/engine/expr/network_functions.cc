// SPDX-License-Identifier: Apache-2.0
// ip(), cidr() and their methods.
#include "engine/expr/network_functions.h"

#include "engine/expr/functions.h"
#include "engine/expr/network.h"
#include "engine/expr/scalar.h"

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

Value network_of(const Call& c) {
  // It is no function of CEL's, so nothing forbids what CEL's ip() refuses.
  const Value ip = to_ip<parse_logged_ip>(c);
  if (!ip.is(Kind::ip)) return ip;
  const Value& bits = c[ip.size() == 4 ? 1 : 2];
  if (!bits.is(Kind::int64)) return mismatch(c);
  if (bits.as_int() < 0 || bits.as_int() > static_cast<std::int64_t>(ip.size()) * 8)
    return failure(c.context, std::to_string(bits.as_int()) + " is no prefix length of " +
                                  (ip.size() == 4 ? "an IPv4" : "an IPv6") + " network");
  return network_around(ip.text(), static_cast<unsigned>(bits.as_int()), c.context.arena);
}

constexpr TypeSet kIp = set_of(Type::ip), kCidr = set_of(Type::cidr);
constexpr TypeSet kIpText = set_of(Type::ip, Type::string);
constexpr TypeSet kInt = set_of(Type::int64);
constexpr TypeSet kCidrText = set_of(Type::cidr, Type::string);
constexpr auto kGlobal = CallStyle::global;
constexpr auto kMember = CallStyle::member;

constexpr std::array kTable = {
    Function{"ip", kGlobal, 1, 1, Type::ip, {kIpText}, to_ip<parse_ip>, true},
    Function{"cidr", kGlobal, 1, 1, Type::cidr, {kCidrText}, to_cidr, true},
    Function{"isIP", kGlobal, 1, 1, Type::boolean, {kText}, is_ip},
    Function{"isCIDR", kGlobal, 1, 1, Type::boolean, {kText}, is_cidr},
    Function{"ip.isCanonical", kGlobal, 1, 1, Type::boolean, {kText}, is_canonical},
    Function{"family", kMember, 1, 1, Type::int64, {kIp}, family},
    Function{"isLoopback", kMember, 1, 1, Type::boolean, {kIp}, test_ip<loopback>},
    Function{"isUnspecified", kMember, 1, 1, Type::boolean, {kIp}, test_ip<unspecified>},
    Function{"isGlobalUnicast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<global_unicast>},
    Function{
        "isLinkLocalUnicast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<link_local_unicast>},
    Function{
        "isLinkLocalMulticast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<link_local_multicast>},
    Function{"isMulticast", kMember, 1, 1, Type::boolean, {kIp}, test_ip<multicast>},
    Function{"isPrivate", kMember, 1, 1, Type::boolean, {kIp}, test_ip<private_use>},
    Function{"containsIP", kMember, 2, 2, Type::boolean, {kCidr, kIpText}, contains_ip},
    Function{"containsCIDR", kMember, 2, 2, Type::boolean, {kCidr, kCidrText}, contains_cidr},
    Function{"ip", kMember, 1, 1, Type::ip, {kCidr}, address_of},
    Function{"prefixLength", kMember, 1, 1, Type::int64, {kCidr}, prefix_length},
    Function{"network", kGlobal, 3, 3, Type::cidr, {kIpText, kInt, kInt}, network_of, true},
    Function{"masked", kMember, 1, 1, Type::cidr, {kCidr}, masked},
};

}  // namespace

std::span<const Function> network_functions() { return kTable; }

Value network_contains(const Call& call) { return contains_ip(call); }

}  // namespace streamd::expr
