// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/echo.h"

#include "engine/codec/base64.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace streamd::http {
namespace {

// Shorter ones would take words out of what the far side says.
constexpr std::size_t kShortestPassword = 4, kShortestValue = 6, kShortestPart = 12;
constexpr std::string_view kStars = "***";

bool is_harmless(std::string_view name) {
  for (const char* known :
       {"Accept", "Accept-Encoding", "Content-Encoding", "Content-Type", "User-Agent"})
    if (same_token(name, known)) return true;
  return false;
}

void add(std::string_view secret, std::size_t shortest, std::vector<std::string>& secrets) {
  if (secret.size() < shortest) return;
  secrets.emplace_back(secret);
  std::string decoded;
  if (percent_decode(secret, decoded) && decoded != secret) secrets.push_back(std::move(decoded));
  if (std::string encoded = percent_encode(secret); encoded != secret)
    secrets.push_back(std::move(encoded));
}

void add_credentials(const Url& url, std::vector<std::string>& secrets) {
  if (!url.has_credentials()) return;
  add(url.user, kShortestValue, secrets);
  add(url.password, kShortestPassword, secrets);
  add(base64_encode(url.user + ':' + url.password), kShortestPassword, secrets);
}

// The long ones of what stands between these characters.
void add_parts(std::string_view text, std::string_view between, std::vector<std::string>& secrets) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(between), text.size());
    add(text.substr(0, end), kShortestPart, secrets);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void add_target(std::string_view target, std::vector<std::string>& secrets) {
  const std::size_t path = std::min(target.find('?'), target.size());
  add_parts(target.substr(0, path), "/&=", secrets);
  std::string_view query = target.substr(path);
  while (!query.empty()) {
    query.remove_prefix(1);
    const std::string_view item = query.substr(0, query.find('&'));
    const std::size_t equals = item.find('=');
    if (equals != std::string_view::npos) add(item.substr(equals + 1), kShortestValue, secrets);
    add_parts(item, "/?=", secrets);
    query.remove_prefix(item.size());
  }
}

void hide(const std::vector<std::string>& secrets, std::string& text) {
  for (const auto& secret : secrets)
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kStars.size())
      text.replace(at, secret.size(), kStars);
}

}  // namespace

std::vector<std::string> secrets_of(const Request& request, const Url* proxy) {
  std::vector<std::string> secrets;
  for (const auto& [name, value] : request.headers.all()) {
    if (is_harmless(name)) continue;
    add(value, kShortestValue, secrets);
    const std::size_t scheme = value.find(' ');  // Bearer …
    if (scheme != std::string::npos)
      add(std::string_view(value).substr(scheme + 1), kShortestValue, secrets);
  }
  add_credentials(request.url, secrets);
  if (proxy != nullptr) add_credentials(*proxy, secrets);
  add_target(request.url.target, secrets);
  // A longer one may hold a shorter one.
  std::sort(secrets.begin(), secrets.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return secrets;
}

std::string without_echo(const Response& response) {
  std::string text = response.body;
  hide(response.secrets, text);
  return text;
}

void hide_echo(const Request& request, const Url* proxy, std::string& text) {
  hide(secrets_of(request, proxy), text);
}

}  // namespace streamd::http
