// SPDX-License-Identifier: Apache-2.0
// Settings of the shodan source, and its two protocols over HTTP. Private to the source.
#pragma once

#include "engine/io/http/config.h"
#include "engine/io/http/feed.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamd::shodan {

enum class Mode : std::uint8_t { search, stream, file };

struct Config : http::HttpConfig {
  Mode mode = Mode::search;
  std::string key;
  std::string query;
  // search
  std::vector<std::string> facets;
  std::vector<std::string> fields;
  bool minify = false;
  std::uint64_t pages = 1;
  std::uint64_t min_credits = 0;
  std::optional<Duration> every;
  // stream: at most one
  std::vector<std::string> alert, ports, countries, asn, tags, vulns;
  Duration idle_timeout = Duration::from_seconds(120);
  // file
  std::vector<std::string> path;

  http::Url url, stream_url;
  Config();
};

// The path of the streaming API that the filters mean, without the key: "/shodan/ports/22,80".
// Error (config): a filter that is none.
Result<std::string> stream_target(const Config& config);

// The fetchers, with the partition's name and where to begin. `context` is copied as far as needed.
std::unique_ptr<http::Fetcher> make_search(const Config& config,
                                           std::shared_ptr<http::Client> client,
                                           const SourceContext& context);
std::unique_ptr<http::Fetcher> make_stream(const Config& config,
                                           std::shared_ptr<http::Client> client,
                                           const SourceContext& context);
inline constexpr const char* kSearchPartition = "search";
inline constexpr const char* kStreamPartition = "stream";

}  // namespace streamd::shodan
