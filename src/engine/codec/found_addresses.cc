// SPDX-License-Identifier: Apache-2.0
// Addresses and networks: names that are numbers, and what has colons.
#include "engine/codec/defanged.h"
#include "engine/codec/found_values.h"
#include "engine/expr/network.h"
#include "engine/match/address.h"

#include <algorithm>

namespace streamd {
namespace {

constexpr std::size_t kLongestV6 = 96;

// The address or network in the form in which everybody writes it.
void append_address(const IpAddress& address, std::string& out) {
  char octets[16];
  const unsigned size = address.width() / 8;
  for (unsigned i = 0; i < size; ++i)
    octets[i] = static_cast<char>(static_cast<unsigned char>(address.bits >> (8 * (size - 1 - i))));
  expr::append_ip({octets, size}, out);
}

}  // namespace

bool ValueFinder::prefix_after(Offset at, unsigned most, unsigned& prefix, Offset& end) const {
  const std::size_t slash = slash_at(text_, at);
  Offset digit = at + slash;
  prefix = 0;
  while (slash != 0 && digit < text_.size() && digit < at + slash + 3 &&
         text_is(text_[digit], kTextDigit))
    prefix = prefix * 10 + static_cast<unsigned>(text_[digit++] - '0');
  if (digit == at + slash || prefix > most) return false;
  if (digit < text_.size() && text_is(text_[digit], kTextHost)) return false;
  // 10.0.0.1/24.5 is no network, 10.0.0.0/24. ends a sentence.
  if (digit + 1 < text_.size() && text_[digit] == '.' && text_is(text_[digit + 1], kTextHost))
    return false;
  end = digit;
  return true;
}

// The address that ends at `at`, if a prefix follows it.
bool ValueFinder::take_network(IpAddress first, Offset at, Offset& end) {
  unsigned prefix = 0;
  if (!wants(FoundKind::cidr) || !prefix_after(at, first.width(), prefix, end)) return false;
  first.bits &= prefix == 0 ? Uint128{0} : ~Uint128{0} << (first.width() - prefix);
  made_.clear();
  append_address(first, made_);
  made_ += '/';
  made_ += std::to_string(prefix);
  add(FoundKind::cidr, made_, false);
  return true;
}

bool ValueFinder::take_v4(const Host& host, Offset& end) {
  if (host.dots != 3 || !text_is(text_[host.begin], kTextDigit) || is_version(host)) return false;
  std::uint32_t bits = 0;
  const bool same = !host.defanged;
  if (!same && !read_name(host)) return false;
  const std::string_view text =
      same ? text_.substr(host.begin, host.end - host.begin) : std::string_view(name_);
  if (!parse_v4(text, bits)) return false;
  if (take_network({false, bits}, host.end, end)) return true;
  add(FoundKind::ip, text, same);
  return true;
}

// Chrome/1.2.3.4, but not the inside/1.2.3.4(80) of firewalls.
bool ValueFinder::is_version(const Host& host) const {
  if (host.defanged || host.begin < 2 || text_[host.begin - 1] != '/') return false;
  const bool port = host.end + 1 < text_.size() && text_[host.end] == '(' &&
                    text_is(text_[host.end + 1], kTextDigit);
  return !port && text_is(text_[host.begin - 2], kTextAlnum);
}

// 1.2.3.4-1.2.3.9 and 1.2.3.4->5.6.7.8, where - and _ would belong to a name. All of it is
// addresses, as 1.2.3.4-1 is a version.
bool ValueFinder::take_joined_v4(const Host& host) {
  if (!wants(FoundKind::ip) || host.defanged || host.dots % 3 != 0 || is_version(host))
    return false;
  const std::string_view all = text_.substr(host.begin, host.end - host.begin);
  const auto each = [&](auto&& take) {
    for (std::size_t at = 0, end; at < all.size(); at = end + 1) {
      end = std::min(all.find_first_of("-_", at), all.size());
      if (end > at && !take(all.substr(at, end - at))) return false;
    }
    return true;
  };
  std::uint32_t bits = 0;
  if (!each([&](std::string_view one) { return parse_v4(one, bits); })) return false;
  return each([&](std::string_view one) {
    add(FoundKind::ip, one, true);
    return true;
  });
}

// Most are those of times, of keys with values and of URLs.
ValueFinder::Offset ValueFinder::at_colon(Offset at) {
  if (text_[at] != ':') return at_address(at, colon_at(text_, at));
  if (text_.substr(at + 1, 2) == "//") return at_separator(at, 3);
  Offset plain = at;
  std::size_t colons = 0;
  bool twice = false;
  while (plain < text_.size() && plain - at < kLongestV6 && text_[plain] == ':') {
    ++colons;
    const Offset group = plain + 1;
    plain = past(text_, group, kTextHex);
    twice = twice || (plain == group && plain < text_.size() && text_[plain] == ':');
  }
  if (!twice && colons < 6 && colon_at(text_, plain) == 0) return plain;
  return at_address(at, 1);
}

// `colon`: how many bytes the first one of it has.
ValueFinder::Offset ValueFinder::at_address(Offset at, std::size_t colon) {
  if (text_.substr(std::min(text_.size(), at + colon)).starts_with("//"))
    return at_separator(at, colon + 2);
  Offset begin = at;
  while (begin > done_ && at - begin < 4 && text_is(text_[begin - 1], kTextHex)) --begin;
  if (begin > 0 && (text_is(text_[begin - 1], kTextAlnum | kTextHost) || text_[begin - 1] == '.'))
    return at + colon;
  name_.assign(text_.substr(begin, at - begin));
  Offset end = at, group = at;
  std::size_t colons = 0;
  bool digit = name_.find_first_of("0123456789") != std::string::npos;
  bool dotted = false;
  while (end < text_.size() && end - begin < kLongestV6) {
    if (const std::size_t size = dotted ? 0 : colon_at(text_, end); size != 0) {
      name_ += ':';
      ++colons;
      end += size;
      group = end;
      continue;
    }
    const char c = text_[end];
    const bool dot = c == '.' && colons >= 2 && end > group && end + 1 < text_.size() &&
                     text_is(text_[end + 1], kTextDigit);
    if (!dot && !text_is(c, kTextHex)) break;
    dotted = dotted || dot;
    digit = digit || text_is(c, kTextDigit);
    name_ += c;
    ++end;
  }
  // What is read again when it is no address: at most its last group.
  const Offset next = std::max(group, at + colon);
  if (end < text_.size() && text_is(text_[end], kTextAlnum | kTextHost)) return next;
  if (name_.ends_with(':') && !name_.ends_with("::")) name_.pop_back();
  const bool shortened = name_.find("::") != std::string::npos;
  if (!digit || colons < 2 || (!shortened && colons < 6)) return next;
  const auto address = parse_address(name_);
  if (!address) return next;
  if (!address->v6 || !take_network(*address, end, end)) add_address(*address);
  return done_ = taken_ = end;
}

void ValueFinder::add_address(const IpAddress& address) {
  made_.clear();
  append_address(address, made_);
  add(FoundKind::ip, made_, false);
}

}  // namespace streamd
