// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/csv_cells.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

// Between its quotes; a quote stands for the two that are written.
std::string_view with_single_quotes(std::string_view text, char quote, Arena& arena) {
  char* const begin = arena.allocate(text.size());
  char* to = begin;
  for (std::size_t i = 0; i < text.size(); ++i) {
    *to++ = text[i];
    if (text[i] == quote) ++i;
  }
  return {begin, static_cast<std::size_t>(to - begin)};
}

// The quoted cell that begins at text[at]; moves behind its closing quote.
bool quoted_cell(std::string_view text, char quote, std::size_t& at, Arena& arena,
                 std::string_view& cell) {
  const std::size_t begin = at + 1;
  bool doubled = false;
  for (std::size_t end = begin;; end += 2) {
    end = text.find(quote, end);
    if (end == std::string_view::npos) return false;
    if (end + 1 < text.size() && text[end + 1] == quote) {
      doubled = true;
      continue;
    }
    cell = text.substr(begin, end - begin);
    if (doubled) cell = with_single_quotes(cell, quote, arena);
    at = end + 1;
    return true;
  }
}

}  // namespace

bool read_csv_cells(std::string_view text, const CsvStyle& style, Arena& arena,
                    std::vector<std::string_view>& cells, std::string& why) {
  cells.clear();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  const char ends[] = {style.separator, '\n'};
  std::size_t at = 0;
  while (true) {
    std::string_view cell;
    if (style.quote != 0 && at < text.size() && text[at] == style.quote) {
      const std::size_t open = at;
      if (!quoted_cell(text, style.quote, at, arena, cell)) {
        why = fmt::format("the quote at byte {} does not close", open);
        return false;
      }
      if (at < text.size() && text[at] != style.separator && text[at] != '\n') {
        why = fmt::format("expected the separator behind the quote at byte {}", at - 1);
        return false;
      }
    } else {
      const std::size_t end = std::min(text.find_first_of({ends, 2}, at), text.size());
      cell = text.substr(at, end - at);
      at = end;
    }
    cells.push_back(cell);
    if (at >= text.size()) return true;
    if (text[at] == '\n') {
      why = fmt::format("a second row begins at byte {}", at + 1);
      return false;
    }
    ++at;
  }
}

}  // namespace streamd
