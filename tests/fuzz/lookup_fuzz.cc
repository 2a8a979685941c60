// SPDX-License-Identifier: Apache-2.0
// Any bytes as a table of `enrich`, CSV or JSON lines: there is a table or an error with a line.
#include "engine/core/check.h"
#include "engine/lookup/lookup.h"

#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto table = streamd::read_table(text, "id", {"a", "b.c"});
  if (!table) {
    STREAMD_CHECK(table.error().message.starts_with("line "), "an error names its line");
    return 0;
  }
  streamd::Arena arena;
  streamd::Value values[2];
  if ((*table)->find("1", arena, values))
    for (const auto& value : values)
      STREAMD_CHECK(!value.is(streamd::Kind::error), "no value of an entry is an error");
  return 0;
}
