// SPDX-License-Identifier: Apache-2.0
#include "sinks/discord/message.h"

#include "engine/codec/encode.h"
#include "engine/core/arena.h"
#include "engine/expr/json_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::discord {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kMarkdown = "\\*_~`|>#[]()<:@-+";

// Bytes of the character at the start of valid UTF-8.
std::size_t width(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// Characters that turn the direction of what follows: U+200E-200F, 202A-202E, 2066-2069.
bool turns(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xe2') return false;
  const auto second = static_cast<unsigned char>(character[1]);
  const auto third = static_cast<unsigned char>(character[2]);
  if (second == 0x80) return third == 0x8e || third == 0x8f || (third >= 0xaa && third <= 0xae);
  return second == 0x81 && third >= 0xa6 && third <= 0xa9;
}

void member(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  if (out.back() != '{') out += ',';
  append_json_string(name, out);
  out += ':';
  append_json_string(value, out);
}

std::size_t units_of(const Value& value) {
  return value.is(Kind::string) ? units(value.text()) : 0;
}

}  // namespace

std::size_t units(std::string_view utf8) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < utf8.size(); at += width(utf8[at]))
    count += width(utf8[at]) == 4 ? 2 : 1;
  return count;
}

std::string cut(std::string_view utf8, std::size_t most) {
  if (units(utf8) <= most) return std::string(utf8);
  std::size_t at = 0;
  for (std::size_t count = 0; at < utf8.size(); at += width(utf8[at])) {
    count += width(utf8[at]) == 4 ? 2 : 1;
    if (count > most - 1) break;
  }
  return std::string(utf8.substr(0, at)) + std::string(kEllipsis);
}

void escape(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const auto character = text.substr(at, width(text[at]));
    at += character.size();
    if (character.size() > 1) {
      if (!turns(character)) out += character;
      continue;
    }
    const char c = character.front();
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += ' ';
      continue;
    }
    if (kMarkdown.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
}

std::string encode(const Alert& alert) {
  if (!alert.embed) return cut(alert.text, kContent);
  std::size_t left = kAllEmbeds;
  const auto take = [&left](std::string_view text, std::size_t most) {
    std::string fitting = cut(text, std::min(most, std::max<std::size_t>(left, 1)));
    left -= std::min(left, units(fitting));
    return fitting;
  };
  std::string out = "{";
  member("title", take(alert.title, kTitle), out);
  const std::string footer = take(alert.footer, std::min<std::size_t>(kFooter, 200));
  std::string fields;
  std::size_t count = 0;
  for (const auto& [name, value] : alert.fields) {
    // Discord wants neither to be empty.
    if (value.empty() || ++count > kFields || left <= kFieldName) continue;
    std::string field = "{";
    member("name", take(name, kFieldName), field);
    member("value", take(value, kFieldValue), field);
    fields += (fields.empty() ? "" : ",") + field + R"(,"inline":true})";
  }
  if (left > 0) member("description", take(alert.text, kDescription), out);
  member("url", alert.url, out);
  member("timestamp", alert.timestamp, out);
  if (alert.color) out += fmt::format("{}\"color\":{}", out.back() == '{' ? "" : ",", *alert.color);
  if (!fields.empty())
    out += fmt::format("{}\"fields\":[{}]", out.back() == '{' ? "" : ",", fields);
  if (!footer.empty()) {
    out += out.back() == '{' ? R"("footer":{)" : R"(,"footer":{)";
    member("text", footer, out);
    out += '}';
  }
  return out + "}";
}

std::size_t weight(std::string_view encoded, bool embed) {
  if (!embed) return units(encoded) + 1;  // and a line end
  Arena arena;
  const Value value = expr::read_json(encoded, arena);
  std::size_t sum = units_of(expr::member(value, "title")) +
                    units_of(expr::member(value, "description")) +
                    units_of(expr::member(expr::member(value, "footer"), "text"));
  const Value fields = expr::member(value, "fields");
  for (std::uint32_t i = 0; fields.is(Kind::list) && i < fields.size(); ++i)
    sum += units_of(expr::member(fields.items()[i], "name")) +
           units_of(expr::member(fields.items()[i], "value"));
  return sum;
}

std::size_t fits(const std::vector<std::string_view>& encoded, bool embed) {
  std::size_t sum = 0, count = 0;
  for (const auto alert : encoded) {
    sum += weight(alert, embed);
    // The last line has no line end.
    if (count > 0 && (sum > (embed ? kAllEmbeds : kContent + 1) || (embed && count == kEmbeds)))
      break;
    ++count;
  }
  return count;
}

std::string request_body(const std::vector<std::string_view>& encoded, bool embed,
                         std::string_view username, std::string_view avatar) {
  std::string out = "{";
  member("username", username, out);
  member("avatar_url", avatar, out);
  if (out.back() != '{') out += ',';
  if (embed) {
    out += R"("embeds":[)";
    for (std::size_t i = 0; i < encoded.size(); ++i)
      out += (i > 0 ? "," : "") + std::string(encoded[i]);
    out += ']';
  } else {
    std::string content;
    for (const auto line : encoded) content += (content.empty() ? "" : "\n") + std::string(line);
    out += R"("content":)";
    append_json_string(content, out);
  }
  // Nobody is called by what an attacker writes into a log.
  return out + R"(,"allowed_mentions":{"parse":[]}})";
}

}  // namespace streamd::discord
