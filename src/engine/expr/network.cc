// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/network.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <iterator>

namespace streamd::expr {
namespace {

bool parse_v4(std::string_view text, Address& out) {
  out.size = 4;
  for (std::size_t part = 0; part < 4; ++part) {
    unsigned value = 0, digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
      if (digits > 0 && value == 0) return false;
      value = value * 10 + static_cast<unsigned>(text.front() - '0');
      if (++digits > 3) return false;
    }
    if (digits == 0 || value > 255) return false;
    out.octets[part] = static_cast<char>(value);
    if (part == 3) return text.empty();
    if (text.empty() || text.front() != '.') return false;
    text.remove_prefix(1);
  }
  return false;
}

// Groups up to "::" or the end; false when malformed.
bool parse_groups(std::string_view text, std::array<std::uint16_t, 8>& groups, std::size_t& count) {
  count = 0;
  if (text.empty()) return true;
  while (true) {
    if (count == 8) return false;
    std::uint16_t value = 0;
    const char* end = text.data() + text.size();
    const auto [at, problem] = std::from_chars(text.data(), end, value, 16);
    const auto length = static_cast<std::size_t>(at - text.data());
    if (problem != std::errc() || length == 0 || length > 4) return false;
    groups[count++] = value;
    text.remove_prefix(length);
    if (text.empty()) return true;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
  }
}

bool parse_v6(std::string_view text, Address& out) {
  std::array<std::uint16_t, 8> head = {}, tail = {}, all = {};
  std::size_t heads = 0, tails = 0;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!parse_groups(text, all, heads) || heads != 8) return false;
  } else {
    const std::string_view rest = text.substr(gap + 2);
    if (rest.find("::") != std::string_view::npos ||
        !parse_groups(text.substr(0, gap), head, heads) || !parse_groups(rest, tail, tails) ||
        heads + tails > 7)
      return false;
    for (std::size_t i = 0; i < heads; ++i) all[i] = head[i];
    for (std::size_t i = 0; i < tails; ++i) all[8 - tails + i] = tail[i];
  }
  out.size = 16;
  for (std::size_t i = 0; i < 8; ++i) {
    out.octets[2 * i] = static_cast<char>(all[i] >> 8);
    out.octets[2 * i + 1] = static_cast<char>(all[i] & 0xFF);
  }
  return true;
}

bool mapped(std::string_view octets) {
  static constexpr char kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xFF', '\xFF'};
  return octets.size() == 16 && std::memcmp(octets.data(), kPrefix, 12) == 0;
}

std::optional<Address> parse_as_written(std::string_view text) {
  Address out;
  const bool good =
      text.find(':') == std::string_view::npos ? parse_v4(text, out) : parse_v6(text, out);
  return good ? std::optional(out) : std::nullopt;
}

// As decimal digits; behind the last one.
char* write_octet(unsigned octet, char* to) {
  if (octet >= 100) *to++ = static_cast<char>('0' + octet / 100);
  if (octet >= 10) *to++ = static_cast<char>('0' + octet / 10 % 10);
  *to++ = static_cast<char>('0' + octet % 10);
  return to;
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
  auto out = parse_as_written(text);
  if (out && mapped(out->bytes())) {
    Address v4;
    v4.size = 4;
    for (std::size_t i = 0; i < 4; ++i) v4.octets[i] = out->octets[12 + i];
    return v4;
  }
  return out;
}

std::optional<Address> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto out = parse_as_written(text.substr(0, slash));
  const std::string_view bits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, problem] = std::from_chars(bits.data(), bits.data() + bits.size(), prefix);
  if (!out || mapped(out->bytes()) || problem != std::errc() || end != bits.data() + bits.size() ||
      (bits.size() > 1 && bits.front() == '0') || prefix > out->size * 8u)
    return std::nullopt;
  out->octets[out->size++] = static_cast<char>(prefix);
  return out;
}

void append_ip(std::string_view octets, std::string& out) {
  if (octets.size() != 4) return append_v6(octets, out);
  char text[4 * 4];
  char* end = text;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *end++ = '.';
    end = write_octet(static_cast<unsigned char>(octets[i]), end);
  }
  out.append(text, static_cast<std::size_t>(end - text));
}

void append_cidr(std::string_view bytes, std::string& out) {
  append_ip(bytes.substr(0, bytes.size() - 1), out);
  char text[4] = {'/'};
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
