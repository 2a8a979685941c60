// SPDX-License-Identifier: Apache-2.0
#include "engine/api/registry.h"
#include "engine/io/http/stand_in.h"
#include "sources/builtin_sources.h"
#include "sources/file_config.h"
#include "sources/shodan_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace streamd {

template <>
struct EnumNames<shodan::Mode> {
  static constexpr std::array<std::pair<shodan::Mode, std::string_view>, 3> values = {
      {{shodan::Mode::search, "search"},
       {shodan::Mode::stream, "stream"},
       {shodan::Mode::file, "file"}}};
};

namespace shodan {

Config::Config()
    : url(*http::Url::parse("https://api.shodan.io")),
      stream_url(*http::Url::parse("https://stream.shodan.io")) {
  // Searches that Shodan gives up take about half a minute.
  timeout = Duration::from_seconds(60);
}

namespace {

using Lists = std::array<std::pair<const char*, std::vector<std::string> Config::*>, 6>;
constexpr Lists kFilters = {{{"alert", &Config::alert},
                             {"ports", &Config::ports},
                             {"countries", &Config::countries},
                             {"asn", &Config::asn},
                             {"tags", &Config::tags},
                             {"vulns", &Config::vulns}}};

std::size_t filters_in(const Config& config) {
  return static_cast<std::size_t>(
      std::count_if(kFilters.begin(), kFilters.end(),
                    [&](const auto& filter) { return !(config.*filter.second).empty(); }));
}

class ShodanPlan final : public SourcePlan, public AsksStandIn {
 public:
  explicit ShodanPlan(Config config) : config_(std::move(config)) {}

  bool bounded() const override { return config_.mode == Mode::search && !config_.every; }

  std::string describe() const override {
    if (config_.mode == Mode::stream)
      return fmt::format(
          "Shodan's stream at {}, {}; what is sent while streamd is not connected "
          "is lost",
          config_.stream_url.host_port(), filter());
    return fmt::format("Shodan's search at {}, up to {} page{}{}", config_.url.host_port(),
                       config_.pages, config_.pages == 1 ? "" : "s",
                       config_.every ? ", every " + format_duration(*config_.every) : "");
  }

  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    auto client = http::client_for(config_, context);
    if (!client) return tl::unexpected(std::move(client).error());
    std::shared_ptr<http::Client> shared = std::move(*client);
    const bool stream = config_.mode == Mode::stream;
    http::FeedOptions options;
    options.partition = stream ? kStreamPartition : kSearchPartition;
    options.far_side = stream ? "Shodan's stream" : "Shodan's search";
    const auto stored = context.resume_at.find(options.partition);
    options.start = stored == context.resume_at.end() ? "0" : stored->second;
    // A page may cost a credit: none is fetched that a crash would make us pay again.
    options.commit_first = !stream;
    if (stream) options.settle = Duration::from_seconds(5);
    options.retry.first = Duration::from_seconds(1);
    auto fetcher = stream ? make_stream(config_, std::move(shared), context)
                          : make_search(config_, std::move(shared), context);
    return http::open_feed(std::move(fetcher), std::move(options), std::move(context));
  }

 private:
  std::string filter() const {
    for (const auto& [name, list] : kFilters)
      if (!(config_.*list).empty()) return fmt::format("{} filter", name);
    return config_.query.empty() ? "all banners" : "query filter";
  }
  const Config config_;
};

using C = Config;

void describe(Spec<C>& spec) {
  spec.summary("Reads banners of Shodan: by search, live, or from downloaded files.")
      .details(
          "**search** reads the pages of a query, newest results first, one request a second, and "
          "ends, or begins a new pass `every` so often. A page is fetched when the one before is "
          "committed, so a crash costs at most the credit of one page. Credits left are asked for "
          "and logged before each pass. With `facets`, a pass begins with one more record, "
          "`{\"event\":\"facets\",\"total\":…,\"facets\":{…}}`. Results that move between pages "
          "while they are read come twice: put `dedupe` behind it.\n\n"
          "**stream** stays connected; at most one kind of filter. What Shodan sends while there "
          "is no connection can't be asked for again; banners that Shodan says it has discarded, "
          "and those cut off with a connection, are told in the log.\n\n"
          "**file** reads downloaded `.json.gz` files.\n\n"
          "Timestamps of banners are UTC without a zone: `time: {field: timestamp, format: "
          "\"%Y-%m-%dT%H:%M:%S.%f\"}`. Results of a search come newest first, so windows over "
          "them need a `max_delay` as long as the search reaches back. Banners can be larger than "
          "the default `max_record` of 1MiB.")
      .promise(
          "search and file: exactly once into the pipeline's state; stream: at most once over a "
          "crash, as nothing can be asked for again")
      .example("Our networks, each hour",
               "mode: search\nkey: ${SHODAN_KEY:-secret}\nquery: 'net:203.0.113.0/24'\n"
               "pages: 5\nevery: 1h")
      .example("What our alerts see, live", "mode: stream\nkey: ${SHODAN_KEY:-secret}\nalert: all")
      .example("Downloaded files", "mode: file\npath: downloads/*.json.gz");
}

void add_search_fields(Spec<C>& spec) {
  spec.field(&C::mode, {.name = "mode", .help = "Where banners come from.", .required = true})
      .field(&C::key, {.name = "key",
                       .help = "The API key; not needed for files.",
                       .secret = true,
                       .examples = {"${SHODAN_KEY}"}})
      .field(&C::query, {.name = "query",
                         .help = "Search: as on the website. Stream: the filter of that kind.",
                         .examples = {"'net:203.0.113.0/24'", "port:9200 country:DE"}})
      .field(&C::facets, {.name = "facets",
                          .help = "Search: counts to ask for, `name` or `name:top`.",
                          .examples = {"[country, 'port:20']"}})
      .field(&C::fields, {.name = "fields",
                          .help = "Search: only these properties of each banner.",
                          .examples = {"[ip_str, port, timestamp]"}})
      .field(&C::minify,
             {.name = "minify", .help = "Search: leave out the large properties of each service."})
      .field(&C::pages, {.name = "pages",
                         .help = "Search: the most pages of 100 banners to read in a pass. Each "
                                 "costs a credit if the query has a filter, or from the second.",
                         .examples = {"10"}})
      .field(&C::min_credits, {.name = "min_credits",
                               .help = "Search: stop rather than have fewer credits left.",
                               .examples = {"20"}})
      .field(&C::every, {.name = "every",
                         .help = "Search: begin a new pass so often; without it one pass is made.",
                         .examples = {"1h"}});
}

void add_stream_fields(Spec<C>& spec) {
  spec.field(&C::alert, {.name = "alert",
                         .help = "Stream: what network alerts see: `all`, or ids.",
                         .examples = {"all"}})
      .field(&C::ports, {.name = "ports", .help = "Stream: these ports.", .examples = {"[22, 80]"}})
      .field(&C::countries, {.name = "countries",
                             .help = "Stream: these countries, two letters.",
                             .examples = {"[DE, FR]"}})
      .field(&C::asn, {.name = "asn", .help = "Stream: these networks.", .examples = {"[AS64496]"}})
      .field(&C::tags, {.name = "tags", .help = "Stream: these tags.", .examples = {"[ics]"}})
      .field(&C::vulns, {.name = "vulns",
                         .help = "Stream: hosts with these vulnerabilities.",
                         .examples = {"[CVE-2021-44228]"}})
      .field(&C::idle_timeout,
             {.name = "idle_timeout",
              .help = "Stream: connect again when not even an empty line came for so long.",
              .advanced = true})
      .field(&C::path, {.name = "path",
                        .help = "File: paths or patterns of downloaded files.",
                        .examples = {"downloads/*.json.gz"}})
      .field(&C::url, {.name = "url", .help = "Where the API is.", .advanced = true})
      .field(&C::stream_url,
             {.name = "stream_url", .help = "Where the streaming API is.", .advanced = true});
}

void add_rules(Spec<C>& spec) {
  spec.rule("mode: search and mode: stream need key",
            [](const C& c) { return c.mode == Mode::file || !c.key.empty(); })
      .rule("mode: search needs query",
            [](const C& c) { return c.mode != Mode::search || !c.query.empty(); })
      .rule("mode: file needs path",
            [](const C& c) { return c.mode != Mode::file || !c.path.empty(); })
      .rule("path is for mode: file",
            [](const C& c) { return c.mode == Mode::file || c.path.empty(); })
      .rule("alert, ports, countries, asn, tags and vulns are for mode: stream",
            [](const C& c) { return c.mode == Mode::stream || filters_in(c) == 0; })
      .rule("a stream has one kind of filter: alert, ports, countries, asn, tags, vulns or query",
            [](const C& c) {
              return c.mode != Mode::stream || filters_in(c) + (c.query.empty() ? 0 : 1) <= 1;
            })
      .rule("facets, fields, every and min_credits are for mode: search",
            [](const C& c) {
              return c.mode == Mode::search ||
                     (c.facets.empty() && c.fields.empty() && !c.every && c.min_credits == 0);
            })
      .rule("fields and minify exclude each other",
            [](const C& c) { return c.fields.empty() || !c.minify; })
      .rule("pages must be from 1 to 1000000",
            [](const C& c) { return c.pages >= 1 && c.pages <= 1'000'000; })
      .rule("every must be at least 1s and at most 365d",
            [](const C& c) {
              return !c.every || (*c.every >= Duration::from_seconds(1) &&
                                  *c.every <= Duration::from_seconds(365 * 86'400));
            })
      .rule("idle_timeout must be at least 1s",
            [](const C& c) { return c.idle_timeout >= Duration::from_seconds(1); });
}

Spec<C> shodan_spec() {
  Spec<C> spec("shodan");
  describe(spec);
  add_search_fields(spec);
  add_stream_fields(spec);
  http::with_http_fields(spec, http::Login::own);
  add_rules(spec);
  return spec;
}

std::unique_ptr<SourcePlan> make(Config config, const ConfigNode& node, Diagnostics& problems) {
  if (config.mode == Mode::file) {
    FileConfig files;
    files.path = std::move(config.path);
    return make_file_plan(std::move(files));
  }
  if (config.mode == Mode::stream) {
    if (const auto target = stream_target(config); !target) {
      const ConfigNode* where = &node;
      for (const auto& [name, list] : kFilters)
        if (const ConfigNode* found = node.find(name)) where = found;
      problems.error("bad-filter", where->place, target.error().message);
      return nullptr;
    }
  }
  return std::make_unique<ShodanPlan>(std::move(config));
}

}  // namespace
}  // namespace shodan

void add_shodan_source(Registry& registry) {
  registry.add_source(shodan::shodan_spec(), shodan::make);
}

}  // namespace streamd
