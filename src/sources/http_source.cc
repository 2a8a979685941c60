// SPDX-License-Identifier: Apache-2.0
#include "engine/api/registry.h"
#include "engine/io/http/stand_in.h"
#include "sources/builtin_sources.h"
#include "sources/http_config.h"
#include "sources/http_poll.h"

#include <fmt/format.h>

#include <utility>

namespace streamd {
namespace {

class HttpPlan final : public SourcePlan, public AsksStandIn {
 public:
  explicit HttpPlan(HttpSourceConfig config) : config_(std::move(config)) {}

  bool bounded() const override { return config_.once; }
  std::string describe() const override {
    return fmt::format("asks {} {}", config_.url.host_port(),
                       config_.once ? "once" : "every " + format_duration(config_.every));
  }
  std::string default_decode() const override {
    return config_.format == HttpFormat::lines ? "text" : "json";
  }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    auto client = http::client_for(config_, context);
    if (!client) return tl::unexpected(std::move(client).error());
    http::FeedOptions options;
    options.partition = kPollPartition;
    options.far_side = config_.url.host_port();
    const auto stored = context.resume_at.find(options.partition);
    options.start = stored == context.resume_at.end() ? "0" : stored->second;
    auto fetcher = make_poll(config_, std::move(*client), context);
    return http::open_feed(std::move(fetcher), std::move(options), std::move(context));
  }

 private:
  const HttpSourceConfig config_;
};

}  // namespace

void add_http_source(Registry& registry) {
  registry.add_source(
      http_source_spec(),
      [](HttpSourceConfig config, const ConfigNode&, Diagnostics&) -> std::unique_ptr<SourcePlan> {
        return std::make_unique<HttpPlan>(std::move(config));
      });
}

}  // namespace streamd
