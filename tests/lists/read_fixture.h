// SPDX-License-Identifier: Apache-2.0
// A text of some format as a list.
#pragma once

#include "lists/format/read_list.h"
#include "tests/support/catch.h"

#include <string>
#include <string_view>

namespace streamd::test {

// 2026-11-21T00:00:00Z
inline constexpr EventTime kReadAt{1'795'219'200'000'000};

struct Read {
  ListReading reading;
  std::shared_ptr<const IndicatorList> list;

  Read(const FormatConfig& config, const std::string& text) {
    IndicatorListBuilder builder(1);
    auto read = read_list(config, text, kReadAt, builder);
    if (!read) FAIL(read.error().message);
    reading = std::move(*read);
    list = builder.build();
  }
  bool has(std::string_view value) const { return list->find(value, kReadAt) != 0; }
  Indicator at(std::string_view value) const {
    const auto hit = list->find(value, kReadAt);
    INFO(value);
    REQUIRE(hit != 0);
    return list->at(hit);
  }
};

inline std::string read_error(const FormatConfig& config, const std::string& text) {
  IndicatorListBuilder builder(1);
  const auto read = read_list(config, text, kReadAt, builder);
  REQUIRE_FALSE(read);
  return read.error().message;
}

inline FormatConfig format_of(ListFormat format) {
  FormatConfig config;
  config.format = format;
  return config;
}

}  // namespace streamd::test
