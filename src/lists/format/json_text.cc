// SPDX-License-Identifier: Apache-2.0
#include "lists/format/json_text.h"

#include "engine/expr/json_reader.h"
#include "lists/format/line_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace streamd::format {

Result<Value> read_json_text(std::string_view text, Arena& arena) {
  const auto broken = [] { return fail_for_now("the text is no JSON, or not all of it is there"); };
  const Value whole = expr::read_json(text, arena);
  if (!whole.is(Kind::error)) return whole;
  LineCursor lines(text);
  std::string_view line;
  std::vector<Value> all;
  std::size_t good = 0;
  bool last_is_good = false;
  while (lines.next(line)) {
    if (line.empty()) continue;
    Value one = expr::read_json(line, arena);
    last_is_good = !one.is(Kind::error);
    good += last_is_good ? 1 : 0;
    if (all.empty() && !last_is_good) return broken();
    all.push_back(last_is_good ? one : Value::missing());
  }
  const bool cut = !last_is_good && !text.ends_with('\n');
  if (all.empty() || cut || good * 2 < all.size()) return broken();
  auto* items = arena.values(all.size());
  std::copy(all.begin(), all.end(), items);
  return Value::list(items, static_cast<std::uint32_t>(all.size()));
}

std::string text_of_json(const Value& value) {
  switch (value.kind()) {
    case Kind::string: return std::string(value.text());
    case Kind::int64: return fmt::format("{}", value.as_int());
    case Kind::uint64: return fmt::format("{}", value.as_uint());
    case Kind::float64: return fmt::format("{}", value.as_double());
    case Kind::boolean: return value.as_bool() ? "true" : "false";
    case Kind::list: {
      std::string out;
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        const std::string one = text_of_json(value.items()[i]);
        if (!one.empty()) out += (out.empty() ? "" : ",") + one;
      }
      return out;
    }
    default: return {};
  }
}

}  // namespace streamd::format
