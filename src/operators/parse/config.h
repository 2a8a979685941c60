// SPDX-License-Identifier: Apache-2.0
// The settings of operator parse. One Spec for all formats; an option says which formats have it,
// and settled() reports it for others. Private to the folder.
#pragma once

#include "engine/api/spec.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::parse {

enum class FormatKind : std::uint8_t {
  json,
  kv,
  csv,
  regex,
  grok,
  cef,
  leef,
  user_agent,
  url,
  syslog,
};
enum class OnError : std::uint8_t { dead_letter, null, keep };

struct Config {
  std::string field;
  FormatKind format = FormatKind::json;
  std::string into;
  std::vector<std::string> fields;  // json, kv, cef, leef
  std::string pattern;              // grok, regex
  std::vector<std::pair<std::string, std::string>> patterns;
  std::vector<std::string> columns;  // csv
  std::string separator;             // kv, csv
  std::string between = " ";         // kv
  std::string quotes = "\"'";        // kv
  std::string quote = "\"";          // csv
  bool labels = false;               // cef
  bool params = false;               // url
  bool decode = false;               // url
  std::string zone = "UTC";          // syslog
  OnError on_error = OnError::dead_letter;
  bool keep_field = true;
};

Spec<Config> spec();
// What the Spec can't see: options of other formats, those that this one can't do without, and
// values that only mean something to it. Reports each at its place; false then.
bool settled(const Config& config, const ConfigNode& node, Diagnostics& problems);

}  // namespace streamd::parse

namespace streamd {

template <>
struct EnumNames<parse::FormatKind> {
  using F = parse::FormatKind;
  static constexpr std::array<std::pair<F, std::string_view>, 10> values = {
      {{F::json, "json"},
       {F::kv, "kv"},
       {F::csv, "csv"},
       {F::regex, "regex"},
       {F::grok, "grok"},
       {F::cef, "cef"},
       {F::leef, "leef"},
       {F::user_agent, "user_agent"},
       {F::url, "url"},
       {F::syslog, "syslog"}}};
};
template <>
struct EnumNames<parse::OnError> {
  static constexpr std::array<std::pair<parse::OnError, std::string_view>, 3> values = {
      {{parse::OnError::dead_letter, "dead_letter"},
       {parse::OnError::null, "null"},
       {parse::OnError::keep, "keep"}}};
};

}  // namespace streamd
