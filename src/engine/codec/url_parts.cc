// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/url_parts.h"

#include "engine/codec/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool refuse(std::string& why, std::string text) {
  why = std::move(text);
  return false;
}

std::string_view lowered(std::string_view text, Arena& arena) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (std::none_of(text.begin(), text.end(), capital)) return text;
  char* const to = arena.allocate(text.size());
  std::transform(text.begin(), text.end(), to,
                 [&](char c) { return capital(c) ? static_cast<char>(c | 0x20) : c; });
  return {to, text.size()};
}

// Letters, digits, +, - and dots up to a colon.
std::size_t scheme_length(std::string_view text) {
  if (text.empty() || !is_alpha(text[0])) return 0;
  std::size_t end = 1;
  while (end < text.size() && (is_alpha(text[end]) || is_digit(text[end]) || text[end] == '+' ||
                               text[end] == '-' || text[end] == '.'))
    ++end;
  return end < text.size() && text[end] == ':' ? end : 0;
}

bool read_port(std::string_view text, UrlParts& parts, std::string& why) {
  if (text.empty()) return true;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (!is_digit(c) || port > 65535) return refuse(why, "the port is no number up to 65535");
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (port > 65535) return refuse(why, "the port is no number up to 65535");
  parts.port = static_cast<std::uint16_t>(port);
  return true;
}

bool read_authority(std::string_view text, Arena& arena, UrlParts& parts, std::string& why) {
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view user = text.substr(0, at);
    parts.user = user.substr(0, user.find(':'));
    text.remove_prefix(at + 1);
  }
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return refuse(why, "the bracket of the host does not close");
    parts.host = lowered(text.substr(1, end - 1), arena);
    ++end;
    if (end < text.size() && text[end] != ':')
      return refuse(why, "something follows the bracket of the host");
  } else {
    end = std::min(text.find(':'), text.size());
    parts.host = lowered(text.substr(0, end), arena);
  }
  if (parts.host.empty() && parts.scheme != "file") return refuse(why, "there is no host");
  return end >= text.size() || read_port(text.substr(end + 1), parts, why);
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

bool read_url(std::string_view text, Arena& arena, UrlParts& parts, std::string& why) {
  parts = {};
  const auto bad = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) <= ' ') || c == 0x7F;
  });
  if (text.empty()) return refuse(why, "it is empty");
  if (bad != text.end())
    return refuse(why, fmt::format("a blank or control character at byte {}", bad - text.begin()));
  const std::size_t hash = text.find('#');
  if (hash != std::string_view::npos) {
    parts.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  const std::size_t mark = text.find('?');
  if (mark != std::string_view::npos) {
    parts.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  const std::size_t scheme = scheme_length(text);
  if (scheme > 0) {
    parts.scheme = lowered(text.substr(0, scheme), arena);
    text.remove_prefix(scheme + 1);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t slash = std::min(text.find('/'), text.size());
    if (!read_authority(text.substr(0, slash), arena, parts, why)) return false;
    text.remove_prefix(slash);
  } else if (scheme == 0 && !text.starts_with('/')) {
    return refuse(why, "there is neither a scheme nor a path that begins with /");
  }
  if (!text.empty()) parts.path = text;
  return true;
}

std::string_view percent_decoded(std::string_view text, bool plus_is_blank, Arena& arena) {
  const bool plain = text.find('%') == std::string_view::npos &&
                     (!plus_is_blank || text.find('+') == std::string_view::npos);
  if (plain) return text;
  char* const begin = arena.allocate(text.size());
  char* to = begin;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      c = static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    *to++ = c;
  }
  const std::string_view decoded(begin, static_cast<std::size_t>(to - begin));
  if (is_utf8(decoded)) return decoded;
  std::string repaired;
  append_repaired_utf8(decoded, repaired);
  return arena.copy(repaired);
}

bool read_query(std::string_view query, Arena& arena, TextPairs& pairs) {
  const std::size_t before = pairs.size();
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(query.size(), end + 1));
    if (pair.empty()) continue;
    if (pairs.size() - before >= kMaxTextPairs) return false;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    pairs.push_back({percent_decoded(pair.substr(0, equals), true, arena),
                     percent_decoded(pair.substr(std::min(pair.size(), equals + 1)), true, arena)});
  }
  return true;
}

}  // namespace streamd
