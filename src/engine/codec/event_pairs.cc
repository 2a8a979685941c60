// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/text_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace streamd {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_key_char(char c) {
  return is_alnum(c) || c == '_' || c == '.' || c == '-' || c == '[' || c == ']' || c == ':';
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool refuse(std::string& why, std::string text) {
  why = std::move(text);
  return false;
}

// Where the event begins behind what a syslog daemon may have put before it.
std::optional<std::string_view> from_tag(std::string_view text, std::string_view tag) {
  for (std::size_t at = text.find(tag); at != std::string_view::npos; at = text.find(tag, at + 1))
    if (at == 0 || !is_alnum(text[at - 1])) return text.substr(at + tag.size());
  return std::nullopt;
}

// Undoes \n, \r, \\, \= and \|. Other backslashes are those of paths that nobody has escaped.
std::string_view unescaped(std::string_view text, Arena& arena) {
  if (text.find('\\') == std::string_view::npos) return text;
  char* const begin = arena.allocate(text.size());
  char* to = begin;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      const char next = text[i + 1];
      if (next == '\\' || next == '=' || next == '|' || next == 'n' || next == 'r') {
        c = next == 'n' ? '\n' : next == 'r' ? '\r' : next;
        ++i;
      }
    }
    *to++ = c;
  }
  return {begin, static_cast<std::size_t>(to - begin)};
}

// The part up to the next bar that no backslash stands before; false: there is no bar.
bool take_part(std::string_view& rest, Arena& arena, std::string_view& part) {
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '|') {
      part = unescaped(rest.substr(0, i), arena);
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

// A key begins behind a blank and runs up to "="; a value up to the blanks before the next key.
bool read_extension(std::string_view text, Arena& arena, TextPairs& pairs, std::string& why) {
  const std::size_t before = pairs.size();
  std::size_t value = 0, edge = 0;  // begin of the value at hand; no key begins before edge
  const auto close = [&](std::size_t end) {
    if (pairs.size() == before) return;
    while (end > value && is_blank(text[end - 1])) --end;
    pairs.back().value = unescaped(text.substr(value, end - value), arena);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    if (text[i] != '=') continue;
    std::size_t begin = i;
    while (begin > edge && is_key_char(text[begin - 1])) --begin;
    const bool is_key = begin < i && (begin == 0 || is_blank(text[begin - 1]));
    edge = i + 1;
    if (!is_key) continue;
    close(begin);
    if (pairs.size() - before >= kMaxTextPairs)
      return refuse(why, fmt::format("more than {} pairs", kMaxTextPairs));
    pairs.push_back({text.substr(begin, i - begin), {}});
    value = i + 1;
  }
  close(text.size());
  const auto first = text.find_first_not_of(" \t\r\n");
  if (pairs.size() == before && first != std::string_view::npos)
    return refuse(why, "the extension holds no key with a value");
  return true;
}

// cs1=x cs1Label=Name: Name=x.
void apply_labels(std::size_t before, TextPairs& pairs) {
  constexpr std::string_view kLabel = "Label";
  const auto begin = pairs.begin() + static_cast<std::ptrdiff_t>(before);
  const auto is_label = [&](const TextPair& pair) {
    return pair.key.size() > kLabel.size() && pair.key.ends_with(kLabel) && !pair.value.empty();
  };
  std::vector<TextPair> labels;
  std::copy_if(begin, pairs.end(), std::back_inserter(labels), is_label);
  std::vector<std::string_view> used;
  for (const TextPair& label : labels) {
    const auto of = label.key.substr(0, label.key.size() - kLabel.size());
    const auto named =
        std::find_if(begin, pairs.end(), [&](const TextPair& p) { return p.key == of; });
    if (named == pairs.end()) continue;
    named->key = label.value;
    used.push_back(label.key);
  }
  pairs.erase(std::remove_if(begin, pairs.end(),
                             [&](const TextPair& pair) {
                               return std::any_of(used.begin(), used.end(), [&](auto key) {
                                 return key.data() == pair.key.data();
                               });
                             }),
              pairs.end());
}

// The sixth part of LEEF 2.0: one character, x09 or 0x09, or nothing.
std::optional<char> delimiter_of(std::string_view text) {
  if (text.empty()) return '\t';
  if (text.size() == 1) return text[0];
  if (text.starts_with("0x") || text.starts_with("0X"))
    text.remove_prefix(2);
  else if (text.starts_with("x") || text.starts_with("X"))
    text.remove_prefix(1);
  else
    return std::nullopt;
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned code = 0;
  for (const char c : text) {
    const char low = static_cast<char>(c | 0x20);
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (low < 'a' || low > 'f')) return std::nullopt;
    code = code * 16 + static_cast<unsigned>(digit ? c - '0' : low - 'a' + 10);
  }
  if (code == 0 || code > 0x7F) return std::nullopt;
  return static_cast<char>(code);
}

bool read_attributes(std::string_view text, char delimiter, TextPairs& pairs, std::string& why) {
  const std::size_t before = pairs.size();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(delimiter), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    while (!pair.empty() && is_blank(pair.front())) pair.remove_prefix(1);
    while (!pair.empty() && is_blank(pair.back())) pair.remove_suffix(1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return refuse(why, fmt::format("attribute {} is no key=value", pairs.size() - before + 1));
    if (pairs.size() - before >= kMaxTextPairs)
      return refuse(why, fmt::format("more than {} pairs", kMaxTextPairs));
    pairs.push_back({pair.substr(0, equals), pair.substr(equals + 1)});
  }
  return true;
}

}  // namespace

bool read_cef(std::string_view text, bool labels, Arena& arena, EventHeader& header,
              TextPairs& pairs, std::string& why) {
  const auto event = from_tag(text, "CEF:");
  if (!event) return refuse(why, "there is no \"CEF:\"");
  std::string_view rest = *event;
  for (std::size_t i = 0; i < 7; ++i) {
    if (take_part(rest, arena, header.part[i])) continue;
    // Without an extension the last bar may be missing.
    if (i < 6) return refuse(why, fmt::format("the header has {} of 7 parts", i));
    header.part[i] = unescaped(rest, arena);
    rest = {};
  }
  const std::size_t before = pairs.size();
  if (!read_extension(rest, arena, pairs, why)) return false;
  if (labels) apply_labels(before, pairs);
  return true;
}

bool read_leef(std::string_view text, Arena& arena, EventHeader& header, TextPairs& pairs,
               std::string& why) {
  const auto event = from_tag(text, "LEEF:");
  if (!event) return refuse(why, "there is no \"LEEF:\"");
  std::string_view rest = *event;
  for (std::size_t i = 0; i < 5; ++i)
    if (!take_part(rest, arena, header.part[i]))
      return refuse(why, fmt::format("the header has {} of 5 parts", i));
  char delimiter = '\t';
  const std::size_t bar = rest.find('|');
  if (header.part[0].starts_with("2") && bar != std::string_view::npos) {
    // Some leave the part out: then what stands before the bar is an attribute.
    const std::string_view part = rest.substr(0, bar);
    if (const auto named = delimiter_of(part)) {
      delimiter = *named;
      rest.remove_prefix(bar + 1);
    } else if (part.find('=') == std::string_view::npos) {
      return refuse(why, "the delimiter in the header is no character and no hex number");
    }
  }
  return read_attributes(rest, delimiter, pairs, why);
}

}  // namespace streamd
