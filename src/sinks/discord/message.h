// SPDX-License-Identifier: Apache-2.0
// Messages of Discord's webhooks: sizes, escapes, and several alerts in one message. Pure
// functions. https://discord.com/developers/docs/resources/webhook
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::discord {

// Discord counts characters; counting UTF-16 units is on the safe side of every way to count.
inline constexpr std::size_t kContent = 2000, kTitle = 256, kDescription = 4096, kFieldName = 256,
                             kFieldValue = 1024, kFooter = 2048, kFields = 25, kEmbeds = 10,
                             kAllEmbeds = 6000;
std::size_t units(std::string_view utf8);
// At most so many units, with an ellipsis at the end of what was cut, never inside a character.
std::string cut(std::string_view utf8, std::size_t most);

// Text from outside: nothing in it is taken for markdown, a link, a mention or a time stamp;
// control and direction-changing characters are left out. An expr::Escape.
void escape(std::string_view text, std::string& out);

// One alert before it is cut to size.
struct Alert {
  std::string text;  // the message, or the embed's description
  bool embed = false;
  std::string title, url, footer;
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<std::uint32_t> color;
  std::string timestamp;  // RFC 3339
};

// The alert as it is sent: the JSON of an embed, or plain text, within all limits.
std::string encode(const Alert& alert);
// What an encoded alert counts against the limit of its message.
std::size_t weight(std::string_view encoded, bool embed);

// How many of the first alerts fit in one message, at least one.
std::size_t fits(const std::vector<std::string_view>& encoded, bool embed);
// The request's body. username and avatar may be empty.
std::string request_body(const std::vector<std::string_view>& encoded, bool embed,
                         std::string_view username, std::string_view avatar);

}  // namespace streamd::discord
