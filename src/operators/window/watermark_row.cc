// SPDX-License-Identifier: Apache-2.0
#include "operators/window/watermark_row.h"

#include "operators/window/pane_rows.h"
#include "operators/window/rules.h"

#include <algorithm>

namespace streamd::window {

bool WatermarkRow::restore(unsigned group, std::string_view value, GroupTimes& closed) {
  if (share_.owns(group)) {
    if (group == share_.home())
      written_ = value;
    else
      gone_.push_back(group);
  }
  std::uint64_t runs = 0;
  value.remove_prefix(1);
  if (!take_varint(value, runs) || runs == 0) return false;
  for (; runs > 0; --runs) {
    std::uint64_t first = 0, groups = 0;
    std::int64_t time = 0;
    if (!take_varint(value, first) || !take_varint(value, groups) || !take_signed(value, time) ||
        first >= kKeyGroups || groups == 0 || groups > kKeyGroups - first || time <= kNever ||
        time > kEverything)
      return false;
    furthest_ = std::max(furthest_, time);
    for (auto g = static_cast<unsigned>(first); g < first + groups; ++g)
      if (share_.owns(g)) closed[g] = time;
  }
  return value.empty();
}

void WatermarkRow::checkpoint(const GroupTimes& closed, StateWriter& state) {
  for (const unsigned group : gone_) state.erase(group, "w");
  gone_.clear();
  std::uint64_t runs = 0;
  std::string bytes;
  for (unsigned first = share_.home(); first < share_.end();) {
    unsigned end = first + 1;
    while (end < share_.end() && closed[end] == closed[first]) ++end;
    if (closed[first] != kNever) {
      ++runs;
      put_varint(bytes, first);
      put_varint(bytes, end - first);
      put_signed(bytes, closed[first]);
    }
    first = end;
  }
  if (runs == 0) return;
  std::string value(1, kRowVersion);
  put_varint(value, runs);
  value += bytes;
  if (value == written_) return;
  state.put(share_.home(), "w", value);
  written_ = std::move(value);
}

}  // namespace streamd::window
