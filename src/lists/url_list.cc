// SPDX-License-Identifier: Apache-2.0
#include "engine/core/hash.h"
#include "engine/io/http/client.h"
#include "engine/io/http/config.h"
#include "lists/builtin_lists.h"
#include "lists/url_loader.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace streamd {
namespace {

constexpr const char* kAgent = "streamd/" STREAMD_VERSION;

struct UrlListConfig : http::HttpConfig, FormatConfig {
  http::Url url;
  Duration refresh = Duration::from_seconds(3600);
  double max_shrink = 0.5;
  ByteSize max_size{std::uint64_t{256} << 20};
};

Fetch fetch_with(std::shared_ptr<http::Client> client, const UrlListConfig& config) {
  return [client = std::move(client), config](const std::string& etag,
                                              const std::string& last_modified,
                                              std::stop_token stop) -> Result<Download> {
    http::Request request;
    request.url = config.url;
    request.headers.set("User-Agent", kAgent);
    if (http::is_header_value(etag) && !etag.empty()) request.headers.set("If-None-Match", etag);
    if (http::is_header_value(last_modified) && !last_modified.empty())
      request.headers.set("If-Modified-Since", last_modified);
    request.max_response = config.max_size.bytes;
    http::authorize(config, request);
    auto response = client->send(request, stop);
    if (!response) return tl::unexpected(std::move(response).error());
    return Download{response->status,
                    std::move(response->body),
                    std::string(response->headers.get("ETag")),
                    std::string(response->headers.get("Last-Modified")),
                    std::string(response->headers.get("Content-Type")),
                    response->retry_after};
  };
}

class UrlListPlan final : public ListPlan {
 public:
  explicit UrlListPlan(UrlListConfig config) : config_(std::move(config)) {}
  std::string describe() const override {
    return fmt::format("{} from {}, asked every {}", FieldType<ListFormat>::show(config_.format),
                       config_.url.host_port(), format_duration(config_.refresh));
  }
  IndicatorFields fields() const override { return fields_of_format(config_); }
  Duration refresh() const override { return config_.refresh; }
  Result<std::unique_ptr<ListLoader>> open(ListContext context) const override {
    auto client = http::Client::make(http::options_of(config_), *context.clock);
    if (!client) return tl::unexpected(std::move(client).error());
    UrlLoaderSettings settings{config_, config_.url.host_port(), hash_bytes(config_.url.text(), 1),
                               config_.max_shrink, config_.max_size.bytes};
    return make_url_loader(std::move(settings), fetch_with(std::move(*client), config_),
                           std::move(context));
  }

 private:
  UrlListConfig config_;
};

constexpr const char* kDetails =
    "The server is asked whether the list has changed (`ETag`, `Last-Modified`). An answer counts "
    "when all of it came, it is of the format, and not too many entries have gone; otherwise the "
    "entries of before stay in force, which is told once, and once more when it has healed.\n\n"
    "A copy in the state directory serves a restart while the server is away. At the first start "
    "the records wait for the list.\n\n";

}  // namespace

void add_url_list(Registry& registry) {
  using C = UrlListConfig;
  Spec<C> spec = Spec<C>("url");
  spec.summary("A list on a web server, fetched again when it changes.")
      .details(std::string(kDetails) + kFormatDetails)
      .field(&C::url, {.name = "url",
                       .help = "Where it is. http or https.",
                       .required = true,
                       .secret = true,
                       .examples = {"https://feeds.example/blocklist.txt"}});
  with_format_fields(spec);
  spec.field(&C::refresh, {.name = "refresh",
                           .help = "Time between two questions (a tenth more or less). Many feeds "
                                   "ask for an hour or more.",
                           .examples = {"1d"}})
      .field(&C::max_shrink,
             {.name = "max_shrink",
              .help = "The share of entries that may vanish in one change, of 20 or more. More "
                      "looks like a broken download, and the list of before stays, also across a "
                      "restart.",
              .advanced = true,
              .examples = {"1"}})
      .field(&C::max_size, {.name = "max_size",
                            .help = "A longer answer is refused.",
                            .advanced = true,
                            .examples = {"1GiB"}})
      .rule("refresh must be at least 100ms",
            [](const C& c) { return c.refresh >= Duration::from_millis(100); })
      .rule("max_shrink must be between 0 and 1",
            [](const C& c) { return c.max_shrink >= 0 && c.max_shrink <= 1; })
      .rule("max_size must be from 1 byte to 1GiB",
            [](const C& c) {
              return c.max_size.bytes > 0 && c.max_size.bytes <= std::uint64_t{1} << 30;
            })
      .example("Addresses, one a line", "url: https://feeds.example/addresses.txt\nentries: ip")
      .example("A CSV feed with a key",
               "url: https://feeds.example/recent.csv\nheaders: {Auth-Key: \"${FEED_KEY}\"}\n"
               "format: csv\ncolumns: {value: 3, type: 5, first_seen: 1}\nrefresh: 15m")
      .example("Indicators in STIX 2.1",
               "url: https://feeds.example/indicators.json\nformat: stix\n"
               "defaults: {source: feeds.example}");
  http::with_http_fields(spec);
  registry.add_list(std::move(spec), [](C config, const ConfigNode&, Diagnostics&) {
    return std::make_unique<UrlListPlan>(std::move(config));
  });
}

}  // namespace streamd
