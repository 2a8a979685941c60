// SPDX-License-Identifier: Apache-2.0
// Settings of the http source. Private to the source.
#pragma once

#include "engine/io/http/config.h"

#include <cstdint>
#include <optional>
#include <string>

namespace streamd {

struct PageConfig {
  std::string param = "page";
  std::uint64_t start = 1;
  std::uint64_t size = 0;  // 0 = unknown: an empty page is the last
};
struct CursorConfig {
  std::string path;
  std::string param;
};
struct PaginationConfig {
  bool link = false;
  std::optional<PageConfig> page;
  std::optional<CursorConfig> cursor;
};

enum class HttpFormat : std::uint8_t { json, ndjson, csv, lines };

struct HttpSourceConfig : http::HttpConfig {
  http::Url url;
  std::string method = "GET";
  std::string body;
  HttpFormat format = HttpFormat::json;
  std::string path;
  std::string separator = ",";
  PaginationConfig pagination;
  std::uint64_t max_pages = 1000;
  Duration every = Duration::from_seconds(60);
  bool once = false;
  ByteSize max_response{std::uint64_t{64} << 20};
};

template <>
struct NestedSpec<PageConfig> {
  static const Spec<PageConfig>& spec();
};
template <>
struct NestedSpec<CursorConfig> {
  static const Spec<CursorConfig>& spec();
};
template <>
struct NestedSpec<PaginationConfig> {
  static const Spec<PaginationConfig>& spec();
};
template <>
struct EnumNames<HttpFormat> {
  static constexpr std::array<std::pair<HttpFormat, std::string_view>, 4> values = {
      {{HttpFormat::json, "json"},
       {HttpFormat::ndjson, "ndjson"},
       {HttpFormat::csv, "csv"},
       {HttpFormat::lines, "lines"}}};
};

Spec<HttpSourceConfig> http_source_spec();

}  // namespace streamd
