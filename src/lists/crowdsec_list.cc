// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/client.h"
#include "engine/io/http/config.h"
#include "lists/builtin_lists.h"
#include "lists/crowdsec_loader.h"

#include <fmt/format.h>

#include <utility>

namespace streamd {
namespace {

constexpr std::uint64_t kLargestAnswer = std::uint64_t{256} << 20;
// One slash: the local API logs a warning about anything else.
constexpr const char* kAgent = "streamd/" STREAMD_VERSION;

struct CrowdsecConfig : http::HttpConfig {
  http::Url url{.host = "127.0.0.1", .port = 8080};
  std::string key;
  std::vector<std::string> scopes = {"ip", "range"};
  std::vector<std::string> origins, types;
  Duration refresh = Duration::from_seconds(10);
  Duration resync = Duration::from_seconds(3600);
};

// With or without the version in the URL.
http::Url url_of(const http::Url& base, const std::string& target) {
  const std::size_t question = target.find('?');
  std::string path = target.substr(0, question);
  const std::string_view front = base.path();
  if (front.ends_with("/v1") || front.ends_with("/v1/")) path = path.substr(sizeof("v1/") - 1);
  const http::Url url = base.below(path);
  return url.with_target(url.target + target.substr(question));
}

crowdsec::Ask ask_with(std::shared_ptr<http::Client> client, const CrowdsecConfig& config) {
  return [client = std::move(client), config](const std::string& target,
                                              std::stop_token stop) -> Result<crowdsec::Answer> {
    http::Request request;
    request.url = url_of(config.url, target);
    request.headers.set("X-Api-Key", config.key);
    request.headers.set("User-Agent", kAgent);
    request.headers.set("Accept", "application/json");
    request.shown_as = "CrowdSec's local API";
    // Asked twice, it would answer the second time without what it said the first time.
    request.idempotent = false;
    request.follow_redirects = false;
    request.max_response = kLargestAnswer;
    http::authorize(config, request);
    auto response = client->send(request, stop);
    if (!response) return tl::unexpected(std::move(response).error());
    return crowdsec::Answer{response->status, std::move(response->body)};
  };
}

class CrowdsecPlan final : public ListPlan {
 public:
  explicit CrowdsecPlan(CrowdsecConfig config) : config_(std::move(config)) {}
  std::string describe() const override {
    return fmt::format("decisions of CrowdSec at {} ({}), asked every {}", config_.url.host_port(),
                       fmt::join(config_.scopes, ", "), format_duration(config_.refresh));
  }
  IndicatorFields fields() const override {
    return fields_of(IndicatorField::type, IndicatorField::scenario, IndicatorField::origin,
                     IndicatorField::scope, IndicatorField::expires);
  }
  Duration refresh() const override { return config_.refresh; }
  Result<std::unique_ptr<ListLoader>> open(ListContext context) const override {
    auto client = http::Client::make(http::options_of(config_), *context.clock);
    if (!client) return tl::unexpected(std::move(client).error());
    crowdsec::LoaderSettings settings{{config_.scopes, config_.origins, config_.types},
                                      config_.resync};
    return crowdsec::make_loader(std::move(settings), ask_with(std::move(*client), config_),
                                 std::move(context));
  }

 private:
  CrowdsecConfig config_;
};

bool are_names(const std::vector<std::string>& names) {
  for (const auto& name : names)
    for (const char c : name)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '-'))
        return false;
  return !names.empty();
}

constexpr const char* kDetails =
    "Asks CrowdSec's local API as a bouncer does. Make a key on its host with `cscli bouncers add "
    "streamd`; each pipeline needs one of its own, because the local API remembers by key what it "
    "has told.\n\n"
    "Everything is asked for at the start, after any failure and once an hour; in between, what "
    "has "
    "changed. A decision ends when its time is over, by the clock of this host and without being "
    "told. While the local API cannot be reached, the decisions known stay in force until they "
    "end; "
    "a copy in the state directory serves a restart.\n\n"
    "All origins are fetched and `origins` is looked at here: the local API gives each decision "
    "once, with the origin that ends last, and would leave out what it filters after that.";

}  // namespace

void add_crowdsec_list(Registry& registry) {
  using C = CrowdsecConfig;
  Spec<C> spec = Spec<C>("crowdsec");
  spec.summary("What a CrowdSec local API has decided on: addresses and networks to ban.")
      .details(kDetails)
      .field(&C::key, {.name = "key",
                       .help = "The bouncer's key.",
                       .required = true,
                       .secret = true,
                       .examples = {"${CROWDSEC_KEY}"}})
      .field(&C::url, {.name = "url",
                       .help = "The local API. Default: http://127.0.0.1:8080.",
                       .examples = {"http://127.0.0.1:8080"}})
      .field(&C::scopes,
             {.name = "scopes",
              .help = "What the decisions are about: `ip` and `range`, also `country` and `as`, "
                      "whose values are texts (`DE`, `64500`).",
              .examples = {"[ip, range, country, as]"}})
      .field(&C::origins,
             {.name = "origins",
              .help = "Only these: `crowdsec`, `cscli`, `CAPI`, `lists`. Default: all.",
              .examples = {"[crowdsec, cscli]"}})
      .field(&C::types, {.name = "types",
                         .help = "Only these: `ban`, `captcha`, or others of your own. Default: "
                                 "all.",
                         .examples = {"[ban]"}})
      .field(&C::refresh, {.name = "refresh",
                           .help = "Time between two questions (a tenth more or less).",
                           .examples = {"1m"}})
      .field(&C::resync, {.name = "resync",
                          .help = "How often everything is asked for again.",
                          .advanced = true,
                          .examples = {"6h"}})
      .rule("refresh must be at least 100ms",
            [](const C& c) { return c.refresh >= Duration::from_millis(100); })
      .rule("scopes must be names, like ip and range",
            [](const C& c) { return are_names(c.scopes); })
      .rule("key must be text without line ends",
            [](const C& c) { return !c.key.empty() && http::is_header_value(c.key); })
      .example("A CrowdSec on this host", "key: ${CROWDSEC_KEY}")
      .example("Only bans, by address, network and country",
               "url: https://crowdsec.example:8080\nkey: ${CROWDSEC_KEY}\n"
               "scopes: [ip, range, country]\ntypes: [ban]");
  http::with_http_fields(spec, http::Login::own);
  registry.add_list(std::move(spec), [](C config, const ConfigNode&, Diagnostics&) {
    return std::make_unique<CrowdsecPlan>(std::move(config));
  });
}

}  // namespace streamd
