// SPDX-License-Identifier: Apache-2.0
#include "engine/api/config_node.h"

#include <algorithm>

namespace streamd {
namespace {

using Run = std::vector<TextRun>::const_iterator;

// The run that holds the character, end() when none does.
Run run_of(const std::vector<TextRun>& runs, std::size_t offset) {
  const auto after = std::upper_bound(runs.begin(), runs.end(), offset,
                                      [](std::size_t o, const TextRun& r) { return o < r.offset; });
  return after == runs.begin() ? runs.end() : after - 1;
}

std::uint32_t column_of(const TextRun& run, std::size_t offset) {
  return run.column + static_cast<std::uint32_t>(offset - run.offset);
}

}  // namespace

Place ConfigNode::place_at(std::size_t offset, std::size_t length) const {
  const auto run = run_of(runs, offset);
  if (run == runs.end() || substituted || offset > text.size()) return place;
  Place at = place;
  at.line = run->line;
  at.column = column_of(*run, offset);
  std::size_t last = std::min(offset + std::max<std::size_t>(length, 1), text.size());
  last = std::max(last, offset + 1) - 1;
  auto end = run_of(runs, last);
  if (end->line != run->line) {
    end = std::find_if(run, runs.end(), [&](const TextRun& r) { return r.line != run->line; });
    last = end->offset - 1;
    while (last > offset && (text[last] == ' ' || text[last] == '\n')) --last;
    --end;
  }
  // What an escape stands for is shorter than it is.
  const auto behind = run_of(runs, last + 1);
  const bool side_by_side = behind->offset == last + 1 && behind->line == run->line;
  at.length = (side_by_side ? behind->column : column_of(*end, last) + 1) - at.column;
  return at;
}

ConfigNode ConfigNode::part(std::size_t offset, std::size_t size) const {
  ConfigNode part;
  part.shape = Shape::scalar;
  part.text = text.substr(offset, size);
  part.place = place_at(offset, size);
  part.substituted = substituted;
  for (auto run = run_of(runs, offset); run != runs.end() && run->offset < offset + size; ++run) {
    const std::size_t from = std::max<std::size_t>(run->offset, offset);
    part.runs.push_back(
        {static_cast<std::uint32_t>(from - offset), run->line, column_of(*run, from)});
  }
  return part;
}

}  // namespace streamd
