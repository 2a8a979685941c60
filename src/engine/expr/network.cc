// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/network.h"

#include "engine/match/address.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <iterator>

namespace streamd::expr {
namespace {

enum class DottedTail { refused, fine };

std::optional<Address> parse_as(std::string_view text, DottedTail dotted) {
  const bool v6 = text.find(':') != std::string_view::npos;
  if (v6 && dotted == DottedTail::refused && text.find('.') != std::string_view::npos)
    return std::nullopt;
  const auto address = parse_address(text);
  if (!address) return std::nullopt;
  Address out;
  out.size = static_cast<std::uint8_t>(address->width() / 8);
  for (unsigned i = 0; i < out.size; ++i)
    out.octets[i] = static_cast<char>(address->bits >> (8 * (out.size - 1 - i)) & 0xFF);
  return out;
}

struct Octet {
  char digits[3];
  std::uint8_t size;
};

constexpr std::array<Octet, 256> kOctets = [] {
  std::array<Octet, 256> all{};
  for (unsigned n = 0; n < 256; ++n) {
    Octet& octet = all[n];
    if (n >= 100) octet.digits[octet.size++] = static_cast<char>('0' + n / 100);
    if (n >= 10) octet.digits[octet.size++] = static_cast<char>('0' + n / 10 % 10);
    octet.digits[octet.size++] = static_cast<char>('0' + n % 10);
  }
  return all;
}();

// As decimal digits; behind the last one. There is room for three.
char* write_octet(unsigned octet, char* to) {
  std::memcpy(to, kOctets[octet].digits, 3);
  return to + kOctets[octet].size;
}

char* write_v4(std::uint32_t address, char* to) {
  for (int shift = 24; shift > 0; shift -= 8) {
    to = write_octet(address >> shift & 0xFF, to);
    *to++ = '.';
  }
  return write_octet(address & 0xFF, to);
}

void append_v6(std::string_view octets, std::string& out) {
  std::array<unsigned, 8> groups = {};
  for (std::size_t i = 0; i < 8; ++i)
    groups[i] = static_cast<unsigned>(static_cast<unsigned char>(octets[2 * i])) << 8 |
                static_cast<unsigned char>(octets[2 * i + 1]);
  std::size_t best = 8, best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (i > 0 && out.back() != ':') out += ':';
    fmt::format_to(std::back_inserter(out), "{:x}", groups[i]);
  }
}

}  // namespace

std::optional<Address> parse_ip(std::string_view text) {
  return parse_as(text, DottedTail::refused);
}

std::optional<Address> parse_logged_ip(std::string_view text) {
  return parse_as(text, DottedTail::fine);
}

std::optional<Address> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view address = text.substr(0, slash);
  auto out = parse_ip(address);
  const bool mapped = out && out->size == 4 && address.find(':') != std::string_view::npos;
  const std::string_view bits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, problem] = std::from_chars(bits.data(), bits.data() + bits.size(), prefix);
  if (!out || mapped || problem != std::errc() || end != bits.data() + bits.size() ||
      (bits.size() > 1 && bits.front() == '0') || prefix > out->size * 8u)
    return std::nullopt;
  out->octets[out->size++] = static_cast<char>(prefix);
  return out;
}

void append_ip(std::string_view octets, std::string& out) {
  if (octets.size() != 4) return append_v6(octets, out);
  char text[kV4NetworkRoom];
  std::uint32_t address = 0;
  for (const char octet : octets) address = address << 8 | static_cast<unsigned char>(octet);
  out.append(text, static_cast<std::size_t>(write_v4(address, text) - text));
}

std::string_view write_v4_network(std::uint32_t address, unsigned bits,
                                  std::array<char, kV4NetworkRoom>& text) {
  const std::uint32_t host = bits == 0 ? ~0u : (1u << (32 - bits)) - 1;
  char* end = write_v4(address & ~host, text.data());
  *end++ = '/';
  end = write_octet(bits, end);
  return {text.data(), static_cast<std::size_t>(end - text.data())};
}

void append_cidr(std::string_view bytes, std::string& out) {
  append_ip(bytes.substr(0, bytes.size() - 1), out);
  char text[1 + 3] = {'/'};
  const char* const end = write_octet(static_cast<unsigned char>(bytes.back()), text + 1);
  out.append(text, static_cast<std::size_t>(end - text));
}

bool same_prefix(std::string_view a, std::string_view b, unsigned bits) {
  if (a.size() != b.size() || bits > a.size() * 8) return false;
  const std::size_t whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto x = static_cast<unsigned char>(a[whole]), y = static_cast<unsigned char>(b[whole]);
  return ((x ^ y) >> (8 - bits % 8)) == 0;
}

}  // namespace streamd::expr
