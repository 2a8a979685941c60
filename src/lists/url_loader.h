// SPDX-License-Identifier: Apache-2.0
// The loader of list url: asks only for what has changed, believes an answer when it is whole, of
// its format and not suspiciously small, and keeps a copy of it for a restart.
#pragma once

#include "engine/api/list.h"
#include "lists/format/list_format.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace streamd {

struct Download {
  int status = 0;
  std::string body, etag, last_modified, content_type;
  std::optional<Duration> retry_after;
};
// GET; etag and last_modified of what is there already, or empty.
using Fetch = std::function<Result<Download>(const std::string& etag,
                                             const std::string& last_modified, std::stop_token)>;

struct UrlLoaderSettings {
  FormatConfig format;
  std::string shown;          // "feeds.example:443", in messages
  std::uint64_t address = 0;  // a hash of the URL
  double max_shrink = 0.5;
  std::uint64_t max_size = 0;
};

std::unique_ptr<ListLoader> make_url_loader(UrlLoaderSettings settings, Fetch fetch,
                                            ListContext context);

}  // namespace streamd
