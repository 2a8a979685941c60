// SPDX-License-Identifier: Apache-2.0
#include "sources/http_poll.h"

#include "engine/core/hash.h"
#include "sources/http_page.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace streamd {
namespace {

// Longer validators are not sent back.
constexpr std::size_t kValidatorBytes = 512;
// Of a cursor or the next page's address, which are part of each checkpoint.
constexpr std::size_t kTokenBytes = 8192;

// Where polling stands:
// "1:<print of the settings>:<poll>:<pages read>:<done>:<token>:<etag>:<last-modified>".
struct Place {
  std::uint64_t settings = 0;
  std::uint64_t poll = 1;
  std::uint64_t pages = 0;  // read in this poll
  std::uint64_t done = 0;   // 1: `once`, and that was it
  std::string token;        // of the next page: its cursor, or its target; "" = by `pages`
  std::string etag, modified;

  static std::optional<Place> parse(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t colon = 0; colon != std::string_view::npos;) {
      colon = text.find(':');
      parts.push_back(text.substr(0, colon));
      text.remove_prefix(colon == std::string_view::npos ? text.size() : colon + 1);
    }
    if (parts.size() != 8 || parts[0] != "1") return std::nullopt;
    Place place;
    const std::array<std::uint64_t*, 4> numbers = {&place.settings, &place.poll, &place.pages,
                                                   &place.done};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::string_view part = parts[i + 1];
      if (std::from_chars(part.data(), part.data() + part.size(), *numbers[i]).ec != std::errc{})
        return std::nullopt;
    }
    const bool good = http::percent_decode(parts[5], place.token) &&
                      http::percent_decode(parts[6], place.etag) &&
                      http::percent_decode(parts[7], place.modified);
    return good ? std::optional(std::move(place)) : std::nullopt;
  }
  Position text() const {
    return fmt::format("1:{}:{}:{}:{}:{}:{}:{}", settings, poll, pages, done,
                       http::percent_encode(token), http::percent_encode(etag),
                       http::percent_encode(modified));
  }
};

class PollFetcher final : public http::Fetcher {
 public:
  PollFetcher(const HttpSourceConfig& config, std::shared_ptr<http::Client> client,
              const SourceContext& context)
      : config_(config), client_(std::move(client)), clock_(*context.clock) {
    const auto& p = config_.pagination;
    paged_ = p.link || p.page || p.cursor;
    const std::string settings =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}{}{}\n{}", config_.url.text(), config_.method,
                    config_.body, static_cast<int>(config_.format), config_.path, p.link,
                    p.page.has_value(), p.cursor.has_value(), config_.once);
    place_.settings = hash_bytes(settings, 0);
    if (auto stored = Place::parse(http::stored_position(context, kPollPartition))) {
      if (stored->settings == place_.settings) {
        place_ = std::move(*stored);
      } else {
        place_.poll = stored->poll + 1;
        if (context.log) context.log(0, "the settings were changed: it begins with the first page");
      }
    }
  }

  Result<http::Turn> fetch(http::FeedBlock& block, std::stop_token stop) override {
    asked_wait_.reset();
    if (place_.done != 0) return http::Turn{http::Turn::What::end};
    const Duration now = clock_.monotonic();
    if (place_.pages == 0) next_poll_ = now + config_.every;
    auto answer = client_->send(request(), stop);
    if (!answer) return tl::unexpected(std::move(answer).error());
    asked_wait_ = answer->retry_after;
    if (answer->status == 304) return unchanged();
    if (!answer->ok()) return tl::unexpected(refusal(answer->status));
    return fill(std::move(*answer), block);
  }

  std::optional<Duration> asked_wait() const override { return asked_wait_; }

 private:
  http::Request request() const {
    http::Request request;
    request.method = config_.method;
    request.url = config_.url;
    request.body = config_.body;
    request.idempotent = true;
    request.max_response = config_.max_response.bytes;
    http::authorize(config_, request);
    if (!config_.body.empty() && !request.headers.has("Content-Type"))
      request.headers.add("Content-Type", "application/json");
    if (!paged_) {
      if (!place_.etag.empty()) request.headers.set("If-None-Match", place_.etag);
      if (!place_.modified.empty()) request.headers.set("If-Modified-Since", place_.modified);
    }
    http::QueryItems items;
    if (const auto& page = config_.pagination.page)
      items.emplace_back(page->param, fmt::format("{}", page->start + place_.pages));
    else if (config_.pagination.link && !place_.token.empty())
      request.url = config_.url.with_target(place_.token);
    else if (config_.pagination.cursor && !place_.token.empty())
      items.emplace_back(config_.pagination.cursor->param, place_.token);
    if (!items.empty())
      request.url = request.url.with_target(http::with_query(request.url.target, items));
    return request;
  }

  Error wrong(Retry retry, std::string what, std::string hint = {}) const {
    return {ErrorKind::external, retry, config_.url.host_port() + ": " + std::move(what),
            std::move(hint)};
  }

  Error refusal(int status) const {
    const bool heals = status >= 500 || status == 408 || status == 425 || status == 429;
    if (heals) return wrong(Retry::backoff, fmt::format("it answers with status {}", status));
    const char* hint = "Check the URL.";
    if (status == 401 || status == 403) hint = "Check basic, bearer or headers: it wants a login.";
    if (status >= 300 && status < 400) hint = "It redirects in a way that is not followed.";
    return wrong(Retry::never, fmt::format("it answers with status {}", status), hint);
  }

  Result<http::Turn> unchanged() {
    if (config_.once) {
      place_.done = 1;
      return http::Turn{http::Turn::What::end};
    }
    return http::Turn{http::Turn::What::nothing, false, next_poll_ - clock_.monotonic()};
  }

  Result<http::Turn> fill(http::Response answer, http::FeedBlock& block) {
    Place after = place_;
    ++after.pages;
    auto next = next_token(answer);
    if (!next) return tl::unexpected(std::move(next).error());
    after.token = next->value_or("");
    bool more = next->has_value();

    // Nothing to tell, whatever the format.
    const bool none = answer.status == 204;
    auto batch = none ? Result<RawBatch>(RawBatch{})
                      : read_page(std::move(answer.body), config_, clock_.wall());
    if (!batch)
      return tl::unexpected(wrong(batch.error().retry, batch.error().message, batch.error().hint));
    if (const auto& page = config_.pagination.page)
      more = !batch->records.empty() && batch->records.size() >= page->size;
    if (more && after.pages >= config_.max_pages)
      return tl::unexpected(wrong(Retry::never,
                                  fmt::format("there are more than {} pages", after.pages),
                                  "Raise max_pages if that is meant."));
    http::number_by_content(seed(), batch->records);
    block.batch = std::move(*batch);
    block.at = place_.text();
    if (!more) finish_poll(after, answer.headers);
    place_ = std::move(after);
    block.after = place_.text();
    http::Turn turn{http::Turn::What::block, more};
    if (!more && !config_.once) turn.pause = next_poll_ - clock_.monotonic();
    return turn;
  }

  void finish_poll(Place& after, const http::Headers& headers) const {
    after.poll += 1;
    after.pages = 0;
    after.token.clear();
    after.done = config_.once ? 1 : 0;
    const auto validator = [&](const char* name) {
      const std::string_view text = headers.get(name);
      return paged_ || text.size() > kValidatorBytes ? std::string() : std::string(text);
    };
    after.etag = validator("ETag");
    after.modified = validator("Last-Modified");
  }

  // Of the page behind this answer; nullopt: there is none, or pages are numbered.
  Result<std::optional<std::string>> next_token(const http::Response& answer) const {
    std::optional<std::string> token;
    if (const auto& cursor = config_.pagination.cursor) {
      token = next_cursor(answer.body, cursor->path);
    } else if (config_.pagination.link) {
      const auto link = next_link(answer.headers.get("Link"));
      if (!link) return token;
      const auto url = http::join(answer.url, *link);
      if (!url || !url->same_origin(config_.url))
        return tl::unexpected(wrong(Retry::never, "its next page is on another host",
                                    "The login is not sent there; give that URL itself."));
      token = url->target;
    }
    if (token && token->size() > kTokenBytes)
      return tl::unexpected(wrong(Retry::never, "what names its next page is longer than 8 KiB"));
    if (token && *token == place_.token)
      return tl::unexpected(wrong(Retry::never, "its next page is the same one again"));
    return token;
  }

  std::uint64_t seed() const {
    return hash_bytes(fmt::format("{}\n{}\n{}", place_.poll, place_.pages, place_.token),
                      place_.settings);
  }

  const HttpSourceConfig config_;
  const std::shared_ptr<http::Client> client_;
  const Clock& clock_;
  bool paged_ = false;
  Place place_;
  Duration next_poll_{};
  std::optional<Duration> asked_wait_;
};

}  // namespace

std::unique_ptr<http::Fetcher> make_poll(const HttpSourceConfig& config,
                                         std::shared_ptr<http::Client> client,
                                         const SourceContext& context) {
  return std::make_unique<PollFetcher>(config, std::move(client), context);
}

}  // namespace streamd
