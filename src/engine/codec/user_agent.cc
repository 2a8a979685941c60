// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/user_agent.h"

#include <algorithm>
#include <array>
#include <string>

namespace streamd {
namespace {

constexpr auto npos = std::string_view::npos;

// What stands in the text, and what it is called. The version follows `mark`, or `version` if that
// is given and there.
struct Rule {
  std::string_view mark, name;
  std::string_view version = {};
};

// The first that fits counts: who names others too stands before them.
constexpr Rule kBots[] = {
    {"Googlebot", "Googlebot"},
    {"AdsBot-Google", "AdsBot-Google"},
    {"Mediapartners-Google", "Mediapartners-Google"},
    {"bingbot", "bingbot"},
    {"YandexBot", "YandexBot"},
    {"Baiduspider", "Baiduspider"},
    {"DuckDuckBot", "DuckDuckBot"},
    {"Applebot", "Applebot"},
    {"facebookexternalhit", "facebookexternalhit"},
    {"meta-externalagent", "meta-externalagent"},
    {"Twitterbot", "Twitterbot"},
    {"LinkedInBot", "LinkedInBot"},
    {"Slackbot", "Slackbot"},
    {"Discordbot", "Discordbot"},
    {"TelegramBot", "TelegramBot"},
    {"WhatsApp", "WhatsApp"},
    {"GPTBot", "GPTBot"},
    {"ChatGPT-User", "ChatGPT-User"},
    {"ClaudeBot", "ClaudeBot"},
    {"PerplexityBot", "PerplexityBot"},
    {"CCBot", "CCBot"},
    {"Bytespider", "Bytespider"},
    {"Amazonbot", "Amazonbot"},
    {"PetalBot", "PetalBot"},
    {"SemrushBot", "SemrushBot"},
    {"AhrefsBot", "AhrefsBot"},
    {"MJ12bot", "MJ12bot"},
    {"DotBot", "DotBot"},
    {"Sogou web spider", "Sogou"},
    {"Sogou inst spider", "Sogou"},
    {"Sogou News Spider", "Sogou"},
    {"Sogou Pic Spider", "Sogou"},
    {"Sogou Orion spider", "Sogou"},
    {"Sogou head spider", "Sogou"},
    {"Sogou-Test-Spider", "Sogou"},
    {"SeznamBot", "SeznamBot"},
    {"ia_archiver", "ia_archiver"},
    {"archive.org_bot", "archive.org_bot"},
    {"UptimeRobot", "UptimeRobot"},
    {"Pingdom", "Pingdom"},
    {"StatusCake", "StatusCake"},
    {"GoogleOther", "GoogleOther"},
    {"HeadlessChrome", "HeadlessChrome"},
    {"PhantomJS", "PhantomJS"},
    {"zgrab", "zgrab"},
    {"masscan", "masscan"},
    {"Nmap Scripting Engine", "Nmap"},
    {"Nikto", "Nikto"},
    {"sqlmap", "sqlmap"},
    {"CensysInspect", "CensysInspect"},
    {"Expanse", "Expanse"},
};

constexpr Rule kTools[] = {
    {"curl/", "curl"},
    {"Wget/", "Wget"},
    {"python-requests/", "python-requests"},
    {"Python-urllib/", "Python-urllib"},
    {"aiohttp/", "aiohttp"},
    {"python-httpx/", "httpx"},
    {"Scrapy/", "Scrapy"},
    {"Go-http-client/", "Go-http-client"},
    {"okhttp/", "okhttp"},
    {"Apache-HttpClient/", "Apache-HttpClient"},
    {"Java/", "Java"},
    {"axios/", "axios"},
    {"node-fetch/", "node-fetch"},
    {"PostmanRuntime/", "Postman"},
    {"libwww-perl/", "libwww-perl"},
    {"GuzzleHttp/", "Guzzle"},
    {"Ruby", "Ruby"},
    {"Dalvik/", "Dalvik"},
    {"CFNetwork/", "CFNetwork"},
    {"git/", "git"},
    {"Debian APT-HTTP/", "APT"},
    {"Prometheus/", "Prometheus"},
    {"kube-probe/", "kube-probe"},
    {"Blackbox Exporter/", "Blackbox Exporter"},
};

constexpr Rule kBrowsers[] = {
    {"EdgA/", "Edge"},
    {"EdgiOS/", "Edge"},
    {"Edg/", "Edge"},
    {"Edge/", "Edge"},
    {"OPR/", "Opera"},
    {"OPT/", "Opera"},
    {"Opera Mini/", "Opera Mini"},
    {"Opera/", "Opera", "Version/"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"YaBrowser/", "Yandex"},
    {"UCBrowser/", "UC Browser"},
    {"Vivaldi/", "Vivaldi"},
    {"DuckDuckGo/", "DuckDuckGo"},
    {"MiuiBrowser/", "Miui Browser"},
    {"HuaweiBrowser/", "Huawei Browser"},
    {"Whale/", "Whale"},
    {"FBAV/", "Facebook"},
    {"Instagram ", "Instagram"},
    {"FxiOS/", "Firefox"},
    {"Focus/", "Firefox Focus"},
    {"SeaMonkey/", "SeaMonkey"},
    {"PaleMoon/", "Pale Moon"},
    {"Firefox/", "Firefox"},
    {"Thunderbird/", "Thunderbird"},
    {"CriOS/", "Chrome"},
    {"Chromium/", "Chromium"},
    {"Electron/", "Electron"},
    {"Chrome/", "Chrome"},
    {"MSIE ", "Internet Explorer"},
    {"Trident/", "Internet Explorer", "rv:"},
    {"Android ", "Android Browser", "Version/"},
    {"Safari/", "Safari", "Version/"},
    {"Konqueror/", "Konqueror"},
    {"Lynx/", "Lynx"},
    {"w3m/", "w3m"},
    {"AppleWebKit/", "WebKit"},
};

constexpr Rule kSystems[] = {
    {"Windows Phone", "Windows Phone"},
    {"Xbox", "Xbox"},
    {"Windows NT ", "Windows"},
    {"Windows", "Windows"},
    {"PlayStation", "PlayStation"},
    {"Nintendo", "Nintendo"},
    {"Tizen", "Tizen"},
    {"Web0S", "webOS"},
    {"webOS", "webOS"},
    {"HarmonyOS", "HarmonyOS"},
    {"KAIOS/", "KaiOS"},
    {"Android", "Android"},
    {"iPhone OS ", "iOS"},
    {"iPad", "iPadOS", "CPU OS "},
    {"iPhone", "iOS"},
    {"CrOS ", "ChromeOS"},
    {"Mac OS X", "macOS"},
    {"Macintosh", "macOS"},
    {"Ubuntu", "Ubuntu"},
    {"Fedora", "Fedora"},
    {"Linux", "Linux"},
    {"FreeBSD", "FreeBSD"},
    {"OpenBSD", "OpenBSD"},
    {"SunOS", "SunOS"},
    {"Darwin/", "Darwin"},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// 120.0.6099.71, 10_15_7; null when no digit follows.
std::string_view version_at(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '/' || text[at] == ' ')) ++at;
  std::size_t end = at;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.' || text[end] == '_')) ++end;
  while (end > at && !is_digit(text[end - 1])) --end;
  if (end == at || !is_digit(text[at])) return {};
  return text.substr(at, end - at);
}

template <std::size_t N>
bool find_in(const Rule (&rules)[N], std::string_view text, std::string_view& name,
             std::string_view& version) {
  for (const Rule& rule : rules) {
    const std::size_t at = text.find(rule.mark);
    if (at == npos) continue;
    name = rule.name;
    const std::size_t other = rule.version.empty() ? npos : text.find(rule.version);
    version = other == npos ? version_at(text, at + rule.mark.size())
                            : version_at(text, other + rule.version.size());
    return true;
  }
  return false;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != npos; }

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool equal_letters(char a, char b) { return (a | 0x20) == b; }

// The word that ends before `end` is CUBOT: a maker of phones.
bool is_phone(std::string_view text, std::size_t end) {
  constexpr std::string_view kMaker = "cubot";
  if (end < kMaker.size()) return false;
  const std::size_t begin = end - kMaker.size();
  if (begin > 0 && is_letter(text[begin - 1])) return false;
  const std::string_view word = text.substr(begin, kMaker.size());
  return std::equal(word.begin(), word.end(), kMaker.begin(), equal_letters);
}

// A word that ends in "bot", "spider" or "crawler", whatever its case: SomeBot/1.0, crawler,
// "bot;".
bool names_a_bot(std::string_view text) {
  constexpr std::array<std::string_view, 3> kWords = {"bot", "spider", "crawler"};
  for (const auto word : kWords) {
    auto at = text.begin();
    while ((at = std::search(at, text.end(), word.begin(), word.end(), equal_letters)) !=
           text.end()) {
      at += static_cast<std::ptrdiff_t>(word.size());
      const bool ends = at == text.end() || !is_letter(*at);
      if (ends && !is_phone(text, static_cast<std::size_t>(at - text.begin()))) return true;
    }
  }
  return false;
}

std::string_view device_of(std::string_view text, const UserAgent& agent) {
  if (has(text, "iPad") || has(text, "Tablet") || has(text, "Kindle")) return "tablet";
  if (has(text, "SmartTV") || has(text, "SMART-TV") || has(text, "AppleTV") ||
      has(text, "Apple TV") || has(text, "GoogleTV") || has(text, "Android TV") ||
      has(text, "BRAVIA") || has(text, "Web0S") || has(text, "HbbTV") || has(text, "CrKey") ||
      has(text, "Roku"))
    return "tv";
  if (agent.os == "Xbox" || agent.os == "PlayStation" || agent.os == "Nintendo") return "console";
  if (has(text, "Mobile") || has(text, "iPhone") || has(text, "iPod") || has(text, "Opera Mini") ||
      agent.os == "Windows Phone" || agent.os == "KaiOS")
    return "mobile";
  if (agent.os == "Android") return "tablet";
  if (agent.os.data() != nullptr) return "desktop";
  return "other";
}

}  // namespace

UserAgent read_user_agent(std::string_view text) {
  // Nobody's begins to be of use behind this; some are megabytes.
  constexpr std::size_t kLongest = 2048;
  text = text.substr(0, kLongest);
  UserAgent agent;
  find_in(kSystems, text, agent.os, agent.os_version);
  if (find_in(kBots, text, agent.browser, agent.browser_version) || names_a_bot(text)) {
    agent.bot = true;
    agent.device = "bot";
    return agent;
  }
  if (!text.starts_with("Mozilla/") &&
      find_in(kTools, text, agent.browser, agent.browser_version)) {
    agent.device = "tool";
    return agent;
  }
  find_in(kBrowsers, text, agent.browser, agent.browser_version);
  agent.device = device_of(text, agent);
  return agent;
}

}  // namespace streamd
