// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_slices.h"
#include "engine/core/block_pool.h"
#include "engine/core/hash.h"
#include "sources/shodan_answer.h"
#include "sources/shodan_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace streamd::shodan {
namespace {

constexpr std::uint64_t kPageSize = 100;
constexpr const char* kWhat = "Shodan's search";
// Credits come back once a month; an hour is soon enough to see it.
constexpr Duration kWithoutCredits = Duration::from_seconds(3600);

std::uint64_t number_in(std::optional<std::string_view> text) {
  std::uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

// Where a search stands: "1:<print of the query>:<pass>:<page>:<pages>:<begun>".
struct Place {
  std::uint64_t query = 0;  // print of what is asked for
  std::uint64_t pass = 1;
  std::uint64_t page = 1;   // the next one; 0: the pass is done
  std::uint64_t pages = 0;  // of this pass; 0 = not known
  std::uint64_t begun = 0;  // wall clock, microseconds

  static std::optional<Place> parse(std::string_view text) {
    if (!text.starts_with("1:")) return std::nullopt;
    Place place;
    const char* at = text.data() + 2;
    const char* const end = text.data() + text.size();
    for (std::uint64_t* number :
         {&place.query, &place.pass, &place.page, &place.pages, &place.begun}) {
      const auto [next, error] = std::from_chars(at, end, *number);
      if (error != std::errc{}) return std::nullopt;
      at = next < end ? next + 1 : end;
    }
    return place;
  }
  Position text() const { return fmt::format("1:{}:{}:{}:{}:{}", query, pass, page, pages, begun); }
};

struct PageText {
  std::string body, facets;  // each with padding
};

class SearchFetcher final : public http::Fetcher {
 public:
  SearchFetcher(const Config& config, std::shared_ptr<http::Client> client,
                const SourceContext& context)
      : config_(config),
        client_(std::move(client)),
        clock_(*context.clock),
        log_(context.log),
        pace_(Pace::of(context.shared, config.key)) {
    resume(http::stored_position(context, kSearchPartition));
  }

  Result<http::Turn> fetch(http::FeedBlock& block, std::stop_token stop) override {
    asked_wait_.reset();
    if (place_.page == 0) {
      if (!config_.every) return http::Turn{http::Turn::What::end};
      const Duration left = until_next_pass();
      if (left > Duration{}) return http::Turn{http::Turn::What::nothing, false, left};
    }
    if (const Duration wait = pace_->take(clock_.monotonic()); wait > Duration{})
      return http::Turn{http::Turn::What::quiet, false, wait};
    auto turn = ask_next(block, stop);
    // One request may have taken longer to Shodan than the one behind it.
    const bool too_often = !turn && is_too_often(turn.error());
    if (too_often && !std::exchange(was_too_often_, true))
      return http::Turn{http::Turn::What::quiet, false, asked_wait_.value_or(Duration{})};
    was_too_often_ = too_often;
    return turn;
  }

  std::optional<Duration> asked_wait() const override { return asked_wait_; }

 private:
  Result<http::Turn> ask_next(http::FeedBlock& block, const std::stop_token& stop) {
    if (!credits_) return ask_credits(stop);
    if (place_.page == 0) begin_pass();
    if (auto enough = check_credits(); !enough) return tl::unexpected(std::move(enough).error());
    return fetch_page(block, stop);
  }

  void log(int level, const std::string& text) const {
    if (log_) log_(level, text);
  }

  void resume(std::string_view stored) {
    std::string asked = fmt::format("{}\n{}\n{}\n{}\n{}", config_.query, config_.minify,
                                    config_.pages, config_.url.text(), config_.every.has_value());
    for (const auto* list : {&config_.fields, &config_.facets})
      for (const auto& item : *list) asked += '\n' + item;
    const std::uint64_t print = hash_bytes(asked, 0);
    if (const auto place = Place::parse(stored)) {
      place_ = *place;
      if (place_.query == print) return;
      log(0, "the search was changed: it begins anew");
      begin_pass();
    }
    place_.query = print;
  }

  Duration until_next_pass() const {
    const EventTime due = EventTime{static_cast<std::int64_t>(place_.begun)} + *config_.every;
    // A clock that was put back must not stop the search for long.
    return std::min(due - clock_.wall(), *config_.every);
  }

  void begin_pass() {
    place_.pass += 1;
    place_.page = 1;
    place_.pages = place_.begun = 0;
  }

  http::Request request(const std::string& path, http::QueryItems items) const {
    http::Request request;
    request.shown_as = kWhat;
    request.follow_redirects = false;
    http::authorize(config_, request);
    const std::string base(config_.url.path());
    items.emplace_back("key", config_.key);
    request.url =
        config_.url.with_target(http::with_query((base == "/" ? "" : base) + path, items));
    return request;
  }

  // A body that is a JSON object without an error.
  Result<std::string> ask(const http::Request& request, const std::stop_token& stop) {
    auto answer = client_->send(request, stop);
    if (!answer) return tl::unexpected(std::move(answer).error());
    asked_wait_ = answer->retry_after;
    std::vector<std::string_view> whole;
    const bool object =
        slice_json(answer->body, whole) && answer->body.find('{') != std::string::npos;
    if (!answer->ok() || !object || error_text(answer->body))
      return tl::unexpected(refused(refusal(answer->status, answer->body, kWhat, config_.key)));
    asked_wait_.reset();
    return std::move(answer->body);
  }

  // Credits come back by themselves: a search that goes on waits for them.
  Error refused(Error error) {
    if (is_exhausted(error)) {
      credits_.reset();
      if (config_.every) {
        error.retry = Retry::backoff;
        asked_wait_ = kWithoutCredits;
      }
    }
    return error;
  }

  Result<http::Turn> ask_credits(const std::stop_token& stop) {
    auto body = ask(request("/api-info", {}), stop);
    if (!body) return tl::unexpected(std::move(body).error());
    const auto left = find_json(*body, "query_credits");
    credits_ = left && left->starts_with('-') ? kUnlimited : number_in(left);
    const auto plan = find_json(*body, "plan");
    log(0, fmt::format("Shodan: plan {}, {} query credits left",
                       plan ? json_scalar_text(*plan).value_or("?") : "?",
                       credits_ == kUnlimited ? "unlimited" : fmt::format("{}", *credits_)));
    return http::Turn{};
  }

  std::uint64_t cost() const {
    return place_.page > 1 || config_.query.find(':') != std::string::npos ? 1 : 0;
  }

  Status check_credits() {
    if (cost() == 0 || config_.min_credits == 0 || *credits_ >= config_.min_credits + cost())
      return {};
    Error error{ErrorKind::external, Retry::never,
                fmt::format("{} query credits are left, and min_credits keeps {}", *credits_,
                            config_.min_credits),
                fmt::format("The next start goes on at page {}; lower min_credits to spend more.",
                            place_.page)};
    credits_.reset();
    if (config_.every) {
      error.retry = Retry::backoff;
      asked_wait_ = kWithoutCredits;
    }
    return tl::unexpected(std::move(error));
  }

  Result<http::Turn> fetch_page(http::FeedBlock& block, const std::stop_token& stop) {
    http::QueryItems items = {{"query", config_.query}, {"page", fmt::format("{}", place_.page)}};
    if (config_.fields.empty())
      items.emplace_back("minify", config_.minify ? "true" : "false");
    else
      items.emplace_back("fields", fmt::format("{}", fmt::join(config_.fields, ",")));
    const bool facets = !config_.facets.empty() && place_.page == 1;
    if (facets) items.emplace_back("facets", fmt::format("{}", fmt::join(config_.facets, ",")));
    if (place_.begun == 0) place_.begun = static_cast<std::uint64_t>(clock_.wall().micros);
    auto body = ask(request("/shodan/host/search", std::move(items)), stop);
    if (!body) return tl::unexpected(std::move(body).error());
    return fill(std::move(*body), facets, block);
  }

  Result<http::Turn> fill(std::string text, bool facets, http::FeedBlock& block) {
    auto page = std::make_shared<PageText>();
    page->body = std::move(text);
    page->body.append(kBlockPadding, '\0');
    const std::string_view json(page->body.data(), page->body.size() - kBlockPadding);
    const auto matches = find_json(json, "matches");
    std::vector<std::string_view> banners;
    if (!matches || !matches->starts_with('[') || !slice_json(*matches, banners))
      return tl::unexpected(refused(refusal(200, "", kWhat, config_.key)));
    const std::uint64_t total = number_in(find_json(json, "total"));
    const EventTime now = clock_.wall();
    for (const auto banner : banners) block.batch.records.push_back({banner, 0, now});
    number(block.batch.records);
    if (facets) add_facets(json, total, *page, block.batch.records);
    if (*credits_ != kUnlimited) *credits_ -= std::min(*credits_, cost());
    block.batch.buffer = page;
    block.batch.padding = kBlockPadding;
    block.at = place_.text();
    advance(total, banners.size());
    block.after = place_.text();
    return http::Turn{http::Turn::What::block, place_.page != 0};
  }

  // Complete banners name their host, port and moment, so equal bytes are one observation wherever
  // they are found; results move between pages while they are read. Chosen fields may be equal.
  void number(std::vector<RawRecord>& records) const {
    const std::uint64_t where = config_.fields.empty() ? 0 : place_.page;
    const std::string seed = fmt::format("{}\n{}\n{}", config_.key, place_.pass, where);
    http::number_by_content(hash_bytes(seed, place_.query), records);
  }

  // One more record, ahead of the banners.
  void add_facets(std::string_view json, std::uint64_t total, PageText& page,
                  std::vector<RawRecord>& records) const {
    const auto found = find_json(json, "facets");
    if (!found) return;
    page.facets = fmt::format(R"({{"event":"facets","total":{},"facets":{}}})", total, *found);
    const std::size_t size = page.facets.size();
    page.facets.append(kBlockPadding, '\0');
    RawRecord record{std::string_view(page.facets).substr(0, size), 0, clock_.wall()};
    record.position = hash_bytes(config_.key, place_.query ^ mix64(place_.pass, kPageSize));
    records.insert(records.begin(), record);
  }

  void advance(std::uint64_t total, std::size_t found) {
    place_.pages = std::min(config_.pages, (total + kPageSize - 1) / kPageSize);
    if (place_.page == 1)
      log(0, fmt::format("Shodan: {} banners found, {} pages to read", total, place_.pages));
    place_.page = found == 0 || place_.page >= place_.pages ? 0 : place_.page + 1;
    if (place_.page == 0) credits_.reset();
  }

  static constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

  const Config config_;
  const std::shared_ptr<http::Client> client_;
  const Clock& clock_;
  const std::function<void(int, const std::string&)> log_;
  const std::shared_ptr<Pace> pace_;
  Place place_;
  std::optional<std::uint64_t> credits_;
  std::optional<Duration> asked_wait_;
  bool was_too_often_ = false;  // the last answer said that it was asked too often
};

}  // namespace

std::unique_ptr<http::Fetcher> make_search(const Config& config,
                                           std::shared_ptr<http::Client> client,
                                           const SourceContext& context) {
  return std::make_unique<SearchFetcher>(config, std::move(client), context);
}

}  // namespace streamd::shodan
