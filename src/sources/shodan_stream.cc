// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_slices.h"
#include "sources/arrival_numbers.h"
#include "sources/line_buffer.h"
#include "sources/shodan_answer.h"
#include "sources/shodan_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace streamd::shodan {
namespace {

// How long one read waits; the stop token ends it earlier.
constexpr Duration kReadWait = Duration::from_millis(500);
constexpr std::size_t kErrorBytes = 16 * 1024;
// A told loss is told again after this at the earliest.
constexpr Duration kTellEvery = Duration::from_seconds(60);
constexpr const char* kWhat = "Shodan's stream";
// {"event":"debug","discarded":41}, with room for white space and longer numbers.
constexpr std::size_t kEventBytes = 256;

std::string joined(const std::vector<std::string>& items) {
  std::string list;
  for (const auto& item : items) list += (list.empty() ? "" : ",") + http::percent_encode(item);
  return list;
}

// How many banners the server says it has discarded; nullopt: this is a banner.
std::optional<std::uint64_t> discarded(std::string_view line) {
  if (line.size() > kEventBytes || !find_json(line, "event")) return std::nullopt;
  std::uint64_t count = 0;
  if (const auto number = find_json(line, "discarded"))
    std::from_chars(number->data(), number->data() + number->size(), count);
  return count;
}

class StreamFetcher final : public http::Fetcher {
 public:
  StreamFetcher(const Config& config, std::shared_ptr<http::Client> client,
                const SourceContext& context)
      : client_(std::move(client)),
        clock_(*context.clock),
        log_(context.log),
        key_(config.key),
        idle_timeout_(config.idle_timeout),
        lines_(context.max_record),
        numbers_(http::stored_position(context, kStreamPartition), *context.clock) {
    request_.shown_as = kWhat;
    request_.follow_redirects = false;
    http::authorize(config, request_);
    const std::string base(config.stream_url.path());
    std::string target = (base == "/" ? "" : base) + *stream_target(config);
    request_.url = config.stream_url.with_target(
        http::with_query(std::move(target), {{"debug", "1"}, {"key", config.key}}));
  }

  Result<http::Turn> fetch(http::FeedBlock& block, std::stop_token stop) override {
    asked_wait_.reset();
    if (!stream_) return connect(stop);
    const auto room = lines_.room();
    const Duration begun = clock_.monotonic();
    auto piece = stream_->read(room.at, room.size, kReadWait);
    if (!piece) return cut(std::move(piece).error());
    if (piece->bytes == 0) {
      if (piece->end) return cut({ErrorKind::external, Retry::backoff, ended(), {}});
      silent_ = silent_ + (clock_.monotonic() - begun);
      if (silent_ >= idle_timeout_) return cut({ErrorKind::external, Retry::backoff, mute(), {}});
      return http::Turn{};
    }
    silent_ = {};
    lines_.filled(piece->bytes);
    take(block);
    if (block.batch.records.empty()) return http::Turn{http::Turn::What::nothing};
    return http::Turn{http::Turn::What::block};
  }

  std::optional<Duration> asked_wait() const override { return asked_wait_; }

 private:
  Result<http::Turn> connect(const std::stop_token& stop) {
    auto stream = client_->open(request_, stop);
    if (!stream) return tl::unexpected(std::move(stream).error());
    if ((*stream)->status() != 200) {
      asked_wait_ = (*stream)->retry_after();
      const std::string body = (*stream)->rest(kErrorBytes, Duration::from_seconds(5));
      return tl::unexpected(refusal((*stream)->status(), body, kWhat, key_));
    }
    stream_ = std::move(*stream);
    silent_ = {};
    return http::Turn{};
  }

  // The connection is gone; what had no line end is no banner.
  Result<http::Turn> cut(Error error) {
    stream_.reset();
    const std::size_t rest = lines_.drop_rest();
    if (rest > 0) {
      ++cut_off_;
      error.message += fmt::format(
          ", in the middle of a banner: its first {} bytes are dropped "
          "({} banners cut off since the start)",
          rest, cut_off_);
    }
    if (error.retry == Retry::backoff)
      error.hint = "what Shodan sends meanwhile is lost: it can't be asked for again";
    return tl::unexpected(std::move(error));
  }
  static std::string ended() { return std::string(kWhat) + " ended"; }
  std::string mute() const {
    return fmt::format("{}: nothing came for {}, not even an empty line", kWhat,
                       format_duration(idle_timeout_));
  }

  void take(http::FeedBlock& block) {
    auto& records = block.batch.records;
    lines_.take(clock_.wall(), std::numeric_limits<std::size_t>::max(), block.batch);
    std::erase_if(records, [this](const RawRecord& record) {
      const auto lost = discarded(record.data);
      if (lost) discarded_ += *lost;
      return lost.has_value();
    });
    tell_discarded();
    numbers_.number(records);
    block.after = numbers_.position();
  }

  void tell_discarded() {
    if (discarded_ == told_) return;
    const Duration now = clock_.monotonic();
    if (told_at_ && now - *told_at_ < kTellEvery) return;
    if (log_)
      log_(1, fmt::format("Shodan has discarded {} banners as they were not taken fast enough, {} "
                          "since the start; a narrower filter or a faster sink helps",
                          discarded_ - told_, discarded_));
    told_ = discarded_;
    told_at_ = now;
  }

  const std::shared_ptr<http::Client> client_;
  const Clock& clock_;
  const std::function<void(int, const std::string&)> log_;
  const std::string key_;
  const Duration idle_timeout_;
  http::Request request_;
  std::unique_ptr<http::Stream> stream_;
  LineBuffer lines_;
  ArrivalNumbers numbers_;
  Duration silent_{};
  std::optional<Duration> asked_wait_;
  std::uint64_t cut_off_ = 0, discarded_ = 0, told_ = 0;
  std::optional<Duration> told_at_;
};

bool all_digits(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_port(const std::string& text) { return all_digits(text, 5) && std::stoul(text) <= 65535; }
bool is_country(const std::string& text) {
  return text.size() == 2 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
         });
}
std::string asn_number(std::string_view text) {
  if (text.starts_with("AS") || text.starts_with("as")) text.remove_prefix(2);
  return std::string(text);
}
bool is_word(const std::string& text) {
  return !text.empty() && text.find_first_of(" ,/\t\r\n") == std::string::npos;
}

using Check = bool (*)(const std::string&);

}  // namespace

Result<std::string> stream_target(const Config& config) {
  std::vector<std::string> asn, countries;
  for (const auto& text : config.asn) asn.push_back(asn_number(text));
  for (std::string text : config.countries) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    countries.push_back(std::move(text));
  }
  struct Kind {
    const char* name;
    const std::vector<std::string>& items;
    Check good;
    const char* expected;
  };
  const std::array<Kind, 6> kinds = {
      {{"alert", config.alert, is_word, "`all` or the id of an alert"},
       {"ports", config.ports, is_port, "ports from 0 to 65535"},
       {"countries", countries, is_country, "country codes of two letters"},
       {"asn", asn, [](const std::string& t) { return all_digits(t, 10); }, "numbers like AS3303"},
       {"tags", config.tags, is_word, "tags"},
       {"vulns", config.vulns, is_word, "ids like CVE-2021-44228"}}};
  for (const Kind& kind : kinds) {
    if (kind.items.empty()) continue;
    if (!std::all_of(kind.items.begin(), kind.items.end(), kind.good))
      return fail(ErrorKind::config, fmt::format("{} takes {}", kind.name, kind.expected));
    const bool all = kind.items == std::vector<std::string>{"all"};
    if (std::string_view(kind.name) == "alert" && all) return std::string("/shodan/alert");
    return fmt::format("/shodan/{}/{}", kind.name, joined(kind.items));
  }
  if (config.query.empty()) return std::string("/shodan/banners");
  return http::with_query("/shodan/custom", {{"query", config.query}});
}

std::unique_ptr<http::Fetcher> make_stream(const Config& config,
                                           std::shared_ptr<http::Client> client,
                                           const SourceContext& context) {
  return std::make_unique<StreamFetcher>(config, std::move(client), context);
}

}  // namespace streamd::shodan
