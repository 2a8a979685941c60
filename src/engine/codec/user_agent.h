// SPDX-License-Identifier: Apache-2.0
// What a user agent says that it is: a small table of rules, for counting and filtering.
//
// It knows the browsers, systems and tools that make nearly all of the traffic, crawlers that name
// themselves, and the word "bot". It does not know: models of devices, what hides behind a copied
// user agent, versions that browsers freeze (Windows 11 is "10", macOS ends at 10.15.7), in-app
// browsers beyond a few, and small browsers built on Chromium that do not name themselves.
#pragma once

#include <string_view>

namespace streamd {

// data() == nullptr: not known. Names are constants, versions slices of the text.
struct UserAgent {
  std::string_view browser;  // Chrome, Firefox, Safari, Googlebot, curl, …
  std::string_view browser_version;
  std::string_view os;  // Windows, macOS, Android, iOS, Linux, ChromeOS, …
  std::string_view os_version;
  std::string_view device;  // desktop, mobile, tablet, tv, console, bot, tool, other
  bool bot = false;         // crawlers and monitors; tools such as curl are none
};

UserAgent read_user_agent(std::string_view text);

}  // namespace streamd
