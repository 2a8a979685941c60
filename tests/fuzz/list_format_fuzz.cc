// SPDX-License-Identifier: Apache-2.0
// Any bytes as a list of some format, which the first byte chooses. An entry that was made is found
// by its own value.
#include "engine/core/check.h"
#include "lists/format/read_list.h"
#include "lists/format/stix_pattern.h"

#include <cstdint>
#include <string>
#include <string_view>

using namespace streamd;

namespace {

FormatConfig config_of(std::uint8_t byte) {
  FormatConfig config;
  config.format = static_cast<ListFormat>(byte % EnumNames<ListFormat>::values.size());
  const bool other = byte >= 128;
  ListColumns& c = config.columns;
  if (config.format == ListFormat::csv) {
    c.value = other ? "ip" : "1";
    c.comment = "2";
    c.score = "3";
    c.first_seen = "4";
    c.expires = "5";
    config.separator = other ? ";" : ",";
  }
  if (config.format == ListFormat::json && other) {
    config.items = "*[].list[]";
    c.value = "v[]";
    c.tags = "tags[].name";
    c.score = "score";
    c.last_seen = "seen";
  }
  return config;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  constexpr EventTime kNow{1'700'000'000'000'000};
  IndicatorListBuilder builder(1);
  const auto reading = read_list(config_of(data[0]), text, kNow, builder);
  format::read_stix_pattern(text);
  if (!reading) {
    STREAMD_CHECK(!reading.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  reading->remark();
  const auto list = builder.build();
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of("\n,;\"\t -^");
    if (const auto hit = list->find(rest.substr(0, end), kNow); hit != 0) {
      const Indicator found = list->at(hit);
      STREAMD_CHECK(list->find(found.value, kNow) != 0, "an entry is found by its own value");
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return 0;
}
