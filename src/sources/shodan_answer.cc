// SPDX-License-Identifier: Apache-2.0
#include "sources/shodan_answer.h"

#include "engine/codec/json_slices.h"
#include "engine/core/hash.h"
#include "engine/io/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace streamd::shodan {
namespace {

constexpr Duration kBetweenRequests = Duration::from_seconds(1);
constexpr std::size_t kShownBytes = 200;
constexpr const char* kNoCredits = "no query credits are left";
constexpr const char* kTooOften = "asked too often";

bool has(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool is_html(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '<';
}

void hide(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
    text.replace(at, secret.size(), "***");
}

// Shodan's own words on one line.
std::string shown(std::string text, const std::string& key) {
  hide(text, key);
  hide(text, http::percent_encode(key));
  text.resize(std::min(text.size(), kShownBytes));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = ' ';
  return text;
}

Error never(std::string message, std::string hint) {
  return {ErrorKind::external, Retry::never, std::move(message), std::move(hint)};
}
Error later(std::string message, std::string hint = {}) {
  return {ErrorKind::external, Retry::backoff, std::move(message), std::move(hint)};
}

Error too_often(const std::string& what) {
  return later(fmt::format("{}: {}", what, kTooOften),
               "Shodan takes one request a second; is the key used elsewhere at the same time?");
}

// What Shodan's words mean, whatever status they came with.
std::optional<Error> by_text(std::string_view text, const std::string& what) {
  if (has(text, "rate limit")) return too_often(what);
  if (has(text, "timed out"))
    return later(what + ": Shodan says that the search timed out or the query is invalid",
                 "Try the query on shodan.io if this goes on.");
  if (has(text, "credits"))
    return never(fmt::format("{}: {}", what, kNoCredits),
                 "They are renewed at the start of the month; a larger plan has more.");
  if (has(text, "filters or paging") || has(text, "upgrade"))
    return never(what + ": the plan of this key does not allow filters or further pages",
                 "Use a query of plain words with pages: 1, or a larger plan.");
  if (has(text, "invalid api key"))
    return never(what + ": the API key is not valid",
                 "Compare `key` with the one shown at account.shodan.io.");
  return std::nullopt;
}

Error by_status(int status, std::string_view body, const std::string& what,
                const std::string& text) {
  const std::string said = text.empty() ? "" : fmt::format(" ({})", text);
  if (status == 401)
    return never(what + ": the API key is not valid" + said,
                 "Compare `key` with the one shown at account.shodan.io.");
  if (status == 403)
    return never(what + ": access denied" + said,
                 "The plan of this key does not include it: see account.shodan.io.");
  if (status == 404)
    return never(what + ": there is no such thing" + said,
                 "Check the filters: an alert has to exist in the account of this key.");
  if (status == 429) return too_often(what);
  if (status == 524) return later(what + ": no data came for too long (status 524)");
  if (status >= 500) return later(fmt::format("{}: status {}{}", what, status, said));
  if (status >= 400)
    return never(fmt::format("{}: Shodan refuses the request (status {}){}", what, status, said),
                 "Check the query and the filters.");
  if (status < 200 || status >= 300)
    return never(fmt::format("{}: unexpected status {}{}", what, status, said),
                 "Check `url` and `stream_url`; redirects are not followed, as the key is in the "
                 "address.");
  if (!text.empty()) return later(fmt::format("{}: Shodan reports \"{}\"", what, text));
  if (is_html(body))
    return later(what + ": the answer is HTML instead of JSON",
                 "Shodan may be under maintenance; a proxy or login page answers like that too.");
  return later(what + ": the answer is no complete JSON");
}

}  // namespace

std::optional<std::string> error_text(std::string_view body) {
  const auto error = find_json(body, "error");
  if (!error) return std::nullopt;
  auto text = json_scalar_text(*error);
  return text ? std::move(*text) : "unknown error";
}

Error refusal(int status, std::string_view body, std::string_view what, const std::string& key) {
  const auto said = error_text(body);
  if (said && status != 429 && status < 500)
    if (auto known = by_text(*said, std::string(what))) return *known;
  return by_status(status, body, std::string(what), said ? shown(*said, key) : "");
}

bool is_exhausted(const Error& error) {
  return error.message.find(kNoCredits) != std::string::npos;
}

bool is_too_often(const Error& error) { return error.message.find(kTooOften) != std::string::npos; }

std::shared_ptr<Pace> Pace::of(Shared* shared, const std::string& key) {
  if (shared == nullptr) return std::make_shared<Pace>();
  return shared->get_or_make<Pace>(fmt::format("shodan.pace:{:x}", hash_bytes(key, 1)),
                                   [] { return std::make_shared<Pace>(); });
}

Duration Pace::take(Duration now) {
  const std::lock_guard lock(mutex_);
  if (next_ && now < *next_) return *next_ - now;
  next_ = now + kBetweenRequests;
  return {};
}

}  // namespace streamd::shodan
