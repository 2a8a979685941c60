// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/defanged.h"
#include "engine/codec/found_values.h"
#include "engine/match/address.h"

#include <algorithm>
#include <array>

namespace streamd {
namespace {

constexpr std::size_t kLongestUrl = 8192;
constexpr std::size_t kLongestDomain = 253;

struct Scheme {
  std::string_view written, name;
};
// In the order of how often they are met.
constexpr std::array<Scheme, 21> kSchemes = {
    {{"http", "http"},   {"https", "https"}, {"hxxp", "http"},   {"hxxps", "https"},
     {"ftp", "ftp"},     {"ftps", "ftps"},   {"fxp", "ftp"},     {"sftp", "sftp"},
     {"ssh", "ssh"},     {"ws", "ws"},       {"wss", "wss"},     {"ldap", "ldap"},
     {"ldaps", "ldaps"}, {"smb", "smb"},     {"tcp", "tcp"},     {"udp", "udp"},
     {"txtp", "http"},   {"hxtp", "http"},   {"hxtps", "https"}, {"htxp", "http"},
     {"htxps", "https"}}};

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string_view scheme_named(std::string_view written) {
  for (const std::string_view usual : {kSchemes[0].name, kSchemes[1].name})
    if (written == usual) return usual;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.written.size() != written.size()) continue;
    if (std::equal(written.begin(), written.end(), scheme.written.begin(),
                   [](char a, char b) { return lowered(a) == b; }))
      return scheme.name;
  }
  return {};
}

// Also the quotation marks and dashes of Unicode.
bool ends_url(std::string_view text, std::size_t at) {
  if (!text_is(text[at], kTextUrlEnd)) return false;
  return text[at] != '\xE2' || (at + 1 < text.size() && text[at + 1] == '\x80');
}

// What the host of a URL is made of when it is in its normal form as it stands.
constexpr std::array<bool, 256> kPlainHost = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c)
    table[c] = (kTextClasses[c] & kTextHost) != 0 && (c < 'A' || c > 'Z');
  table['.'] = true;
  return table;
}();

// Without what ends a sentence, and closing brackets that were opened before the URL.
std::string_view without_tail(std::string_view url) {
  constexpr std::string_view kOpen = "([{", kClose = ")]}";
  const auto may_be_cut = [](char c) {
    return text_is(c, kTextTail) || c == ')' || c == ']' || c == '}';
  };
  if (url.empty() || !may_be_cut(url.back())) return url;
  // How many of each kind are closed and were not opened; once one is asked for.
  std::array<std::ptrdiff_t, kOpen.size()> unopened{};
  bool counted = false;
  while (!url.empty()) {
    const std::size_t kind = kClose.find(url.back());
    if (kind != std::string_view::npos) {
      for (std::size_t k = 0; !counted && k < kOpen.size(); ++k)
        unopened[k] = std::count(url.begin(), url.end(), kClose[k]) -
                      std::count(url.begin(), url.end(), kOpen[k]);
      counted = true;
      if (unopened[kind]-- <= 0) break;
    } else if (!text_is(url.back(), kTextTail)) {
      break;
    }
    url.remove_suffix(1);
  }
  return url;
}

}  // namespace

// `at`: "://" in any form, `length` bytes.
ValueFinder::Offset ValueFinder::at_separator(Offset at, std::size_t length) {
  constexpr std::size_t kLongestScheme = 5;
  const Offset next = at + length;
  Offset begin = at;
  while (begin > done_ && at - begin <= kLongestScheme && text_is(text_[begin - 1], kTextAlnum))
    --begin;
  const std::string_view written = text_.substr(begin, at - begin);
  const std::string_view scheme = scheme_named(written);
  if (scheme.empty() || text_.substr(next).starts_with('/')) return next;
  const Offset limit = next + std::min(kLongestUrl, text_.size() - next);
  Offset end = next;
  while (end < limit && kPlainHost[static_cast<unsigned char>(text_[end])]) ++end;
  const std::size_t name_size = end - next;
  if (end < limit && text_[end] == ':') end = std::min(limit, past(text_, end + 1, kTextDigit));
  const std::size_t plain_size = end - next;
  while (end < limit && !ends_url(text_, end)) ++end;
  const std::string_view rest = without_tail(text_.substr(next, end - next));
  if (rest.empty()) return next;

  const std::string_view as_written = text_.substr(begin, next + rest.size() - begin);
  const bool is_plain = length == 3 && written == scheme &&
                        (plain_size >= rest.size() ||
                         std::string_view("/?#").find(rest[plain_size]) != std::string_view::npos);
  if (is_plain) {
    add(FoundKind::url, as_written, true);
    take_url_host(rest.substr(0, name_size), false, true);
    return done_ = taken_ = next + rest.size();
  }

  bool defanged = length > 3 || written.size() != scheme.size() || lowered(written[1]) != scheme[1];
  made_.assign(scheme);
  made_ += "://";
  const std::size_t host = made_.size();
  bool in_host = true;
  for (std::size_t i = 0; i < rest.size();) {
    std::size_t plain = i;
    while (plain < rest.size() && !text_is(rest[plain], kTextUrlSign)) ++plain;
    made_.append(rest, i, plain - i);
    if ((i = plain) == rest.size()) break;
    const auto sign = [&](std::size_t size, char c) {
      if (size == 0) return false;
      defanged = defanged || size > 1;
      made_ += c;
      i += size;
      return true;
    };
    if ((in_host || defanged) && (sign(dot_at(rest, i), '.') || sign(colon_at(rest, i), ':')))
      continue;
    if (in_host && sign(at_sign_at(rest, i), '@')) continue;
    const std::size_t slash = in_host ? slash_at(rest, i) : 0;
    const char c = slash != 0 ? '/' : rest[i];
    in_host = in_host && c != '/' && c != '?' && c != '#';
    made_ += c;
    i += slash != 0 ? slash : 1;
  }
  const std::size_t path = std::min(made_.find_first_of("/?#", host), made_.size());
  const std::size_t sign = made_.rfind('@', path);
  const std::size_t name = sign == std::string::npos || sign < host ? host : sign + 1;
  for (std::size_t i = name; i < path; ++i) made_[i] = lowered(made_[i]);
  const bool same = as_written == made_;
  add(FoundKind::url, same ? as_written : std::string_view(made_), same);
  take_url_host(std::string_view(made_).substr(std::min(name, path), path - std::min(name, path)),
                defanged, false);
  return done_ = taken_ = next + rest.size();
}

// is_slice: it stands so in the text, without a port, and of what a plain one is made of only.
void ValueFinder::take_url_host(std::string_view host, bool defanged, bool is_slice) {
  if (!wants(FoundKind::ip) && !wants(FoundKind::domain)) return;
  const bool in_brackets = host.starts_with('[');
  if (in_brackets)
    host = host.substr(1, std::min(host.find(']'), host.size()) - 1);
  else if (!is_slice)
    host = host.substr(0, host.find(':'));
  // The name of a host may end with the dot of the root.
  if (!in_brackets && host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kLongestDomain) return;
  // Most URLs of a log lead to few hosts.
  if (!defanged && host == last_domain_) return add(FoundKind::domain, host, is_slice);
  std::uint32_t v4 = 0;
  if (const auto address = in_brackets ? parse_address(host) : std::nullopt) {
    add_address(*address);
  } else if (!in_brackets && text_is(host[0], kTextDigit) && parse_v4(host, v4)) {
    add(FoundKind::ip, host, is_slice);
  } else if (is_domain(host, defanged) &&
             (is_slice || std::all_of(host.begin(), host.end(),
                                      [](char c) { return c == '.' || text_is(c, kTextHost); }))) {
    if (!defanged) last_domain_.assign(host);
    add(FoundKind::domain, host, is_slice);
  }
}

}  // namespace streamd
