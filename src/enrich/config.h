// SPDX-License-Identifier: Apache-2.0
// The settings of operator enrich. One Spec for all kinds; a field says which kinds have it, and
// settled() reports it for others. Private to the folder.
#pragma once

#include "engine/io/http/config.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::enrich {

enum class EnrichKind : std::uint8_t { table, mmdb, http, crowdsec };
enum class OnMissing : std::uint8_t { keep, drop, dead_letter };
enum class OnError : std::uint8_t { dead_letter, null, keep };

struct Config : http::HttpConfig {
  EnrichKind kind = EnrichKind::table;
  std::string field;
  std::string path;
  std::string key;
  std::optional<TemplateText> url;
  std::string api_key;
  std::vector<std::pair<std::string, std::string>> fields;
  OnMissing on_missing = OnMissing::keep;
  OnError on_error = OnError::dead_letter;
  std::vector<std::int64_t> missing = {404};
  Duration refresh = Duration::from_seconds(10);
  Duration ttl = Duration::from_seconds(300);
  Duration negative_ttl = Duration::from_seconds(60);
  std::uint64_t cache = 10'000;
  std::uint64_t concurrency = 4;
  double rate = 0;
  ByteSize max_answer{std::uint64_t{1} << 20};

  // A batch waits for its answers.
  Config() {
    timeout = Duration::from_seconds(5);
    connect_timeout = Duration::from_seconds(2);
  }
};

Spec<Config> spec();
// What the Spec can't see: fields of other kinds, and those that this kind cannot do without.
// Reports each at its place; false then.
bool settled(const Config& config, const ConfigNode& node, Diagnostics& problems);

}  // namespace streamd::enrich

namespace streamd {

template <>
struct EnumNames<enrich::EnrichKind> {
  static constexpr std::array<std::pair<enrich::EnrichKind, std::string_view>, 4> values = {
      {{enrich::EnrichKind::table, "table"},
       {enrich::EnrichKind::mmdb, "mmdb"},
       {enrich::EnrichKind::http, "http"},
       {enrich::EnrichKind::crowdsec, "crowdsec"}}};
};
template <>
struct EnumNames<enrich::OnMissing> {
  static constexpr std::array<std::pair<enrich::OnMissing, std::string_view>, 3> values = {
      {{enrich::OnMissing::keep, "keep"},
       {enrich::OnMissing::drop, "drop"},
       {enrich::OnMissing::dead_letter, "dead_letter"}}};
};
template <>
struct EnumNames<enrich::OnError> {
  static constexpr std::array<std::pair<enrich::OnError, std::string_view>, 3> values = {
      {{enrich::OnError::dead_letter, "dead_letter"},
       {enrich::OnError::null, "null"},
       {enrich::OnError::keep, "keep"}}};
};

}  // namespace streamd
