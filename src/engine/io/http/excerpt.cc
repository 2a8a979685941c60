// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/excerpt.h"

#include <algorithm>
#include <cctype>

namespace streamd {
namespace {

constexpr std::size_t kExcerpt = 300;

std::string_view title_of(std::string_view html) {
  std::string lower(html.substr(0, 4096));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto begin = lower.find("<title>");
  if (begin == std::string::npos) return "";
  const auto end = lower.find('<', begin + 7);
  return html.substr(begin + 7, end == std::string::npos ? end : end - begin - 7);
}

}  // namespace

std::string excerpt(std::string_view body) {
  const auto start = body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "";
  body.remove_prefix(start);
  std::string text;
  if (body.front() == '<') text = "a web page ";
  for (const char c : body.front() == '<' ? title_of(body) : body) {
    if (text.size() >= kExcerpt) {
      text += "…";
      break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f)
      text += c;
    else if (text.empty() || text.back() != ' ')
      text += ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace streamd
