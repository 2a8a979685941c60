// SPDX-License-Identifier: Apache-2.0
// The http source's protocol: polls, pages, validators, and where it stands. Private to the source.
#pragma once

#include "engine/io/http/feed.h"
#include "sources/http_config.h"

#include <memory>

namespace streamd {

inline constexpr const char* kPollPartition = "poll";

// `context` is copied as far as needed.
std::unique_ptr<http::Fetcher> make_poll(const HttpSourceConfig& config,
                                         std::shared_ptr<http::Client> client,
                                         const SourceContext& context);

}  // namespace streamd
