// SPDX-License-Identifier: Apache-2.0
// Bytes of a far side as records. The first byte chooses: lines that come in pieces, a JSON answer
// cut into its items, a CSV answer, or a Link header. The second one gives the size of the pieces.
#include "engine/codec/csv_rows.h"
#include "engine/codec/json_slices.h"
#include "engine/core/arena.h"
#include "engine/core/check.h"
#include "engine/expr/json_reader.h"
#include "sources/http_page.h"
#include "sources/line_buffer.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace streamd;

std::vector<std::string> lines(std::string_view text, std::size_t piece, std::size_t max_record) {
  LineBuffer buffer(max_record);
  std::vector<std::string> out;
  const auto take = [&] {
    for (std::size_t before = out.size();; before = out.size()) {
      RawBatch batch;
      buffer.take({}, 2, batch);
      for (const auto& record : batch.records) {
        STREAMD_CHECK(record.data.find('\n') == std::string_view::npos, "a line is one line");
        STREAMD_CHECK(!record.data.empty(), "and not empty");
        STREAMD_CHECK(!record.fault.empty() || record.data.size() <= max_record, "and in bounds");
        out.push_back(record.fault.empty() ? std::string(record.data) : "too-long");
      }
      if (out.size() == before) return;
    }
  };
  while (!text.empty()) {
    const auto room = buffer.room();
    const std::size_t size = std::min({piece, room.size, text.size()});
    std::memcpy(room.at, text.data(), size);
    buffer.filled(size);
    text.remove_prefix(size);
    take();
  }
  buffer.finish();
  take();
  STREAMD_CHECK(buffer.empty(), "nothing is left");
  return out;
}

// The same by hand.
std::vector<std::string> simple_lines(std::string_view text, std::size_t max_record) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    const bool cut = line.size() > max_record + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    out.push_back(cut || line.size() > max_record ? "too-long" : std::string(line));
  }
  return out;
}

void cut_json(std::string_view text) {
  std::vector<std::string_view> slices;
  const bool good = slice_json(text, slices);
  const char* last = text.data();
  for (const auto slice : slices) {
    STREAMD_CHECK(!slice.empty() && slice.data() >= last, "slices follow one another");
    last = slice.data() + slice.size();
    STREAMD_CHECK(last <= text.data() + text.size(), "inside the text");
  }
  Arena arena, inside;
  const Value whole = expr::read_json(text, arena);
  if (whole.is(Kind::list)) {
    STREAMD_CHECK(good && slices.size() == whole.size(), "an array has its items");
    for (const auto slice : slices)
      STREAMD_CHECK(!expr::read_json(slice, inside).is(Kind::error), "which are JSON");
  } else if (whole.is(Kind::map)) {
    STREAMD_CHECK(good && slices.size() == 1, "an object is one record");
  } else if (!whole.is(Kind::error)) {
    STREAMD_CHECK(!good, "and nothing else has records");
  }
  for (const char* path : {"", "a", "a.b", "matches", "error"})
    if (const auto found = find_json(text, path)) (void)json_scalar_text(*found);
  (void)next_cursor(text, "a");
}

void cut_csv(std::string_view text) {
  HttpSourceConfig config;
  config.format = HttpFormat::csv;
  const auto page = read_page(std::string(text), config, {});
  if (!page) return;
  for (const auto& record : page->records) {
    Arena arena;
    STREAMD_CHECK(expr::read_json(record.data, arena).is(Kind::map), "a row is an object");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 4) {
    case 0: {
      const std::size_t limit = data[1] % 16 + 1u;
      STREAMD_CHECK(lines(text, data[1] / 16 + 1u, limit) == simple_lines(text, limit),
                    "pieces change nothing");
      break;
    }
    case 1: cut_json(text); break;
    case 2: cut_csv(text); break;
    default: (void)next_link(text); break;
  }
  return 0;
}
