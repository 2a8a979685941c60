// SPDX-License-Identifier: Apache-2.0
// Any bytes as a list file. Every entry is found by its own value, and look-ups of any line are
// safe.
#include "engine/core/check.h"
#include "lists/format/read_list.h"

#include <cstdint>
#include <string>
#include <string_view>

using namespace streamd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto entries :
       {ListEntries::automatic, ListEntries::ip, ListEntries::domain, ListEntries::text}) {
    IndicatorListBuilder builder(1);
    FormatConfig config;
    config.entries = entries;
    const auto reading = read_list(config, text, {}, builder);
    STREAMD_CHECK(reading.has_value(), "any text is lines");
    STREAMD_CHECK(reading->broken.count() <= reading->count, "a line is broken once at most");
    const auto list = builder.build();
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      list->find(line, {});
      const auto value = split_list_line(line).value;
      const auto hit = list->find(value, {});
      if (hit != 0) STREAMD_CHECK(!list->at(hit).value.empty(), "an entry has a value");
      IndicatorListBuilder alone(1);
      if (alone.add({.value = value, .kind = kind_of(entries)}).empty())
        STREAMD_CHECK(alone.build()->find(value, {}) != 0, "an entry is found by its own value");
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  return 0;
}
