// SPDX-License-Identifier: Apache-2.0
// One CSV row as cells: slices of the text, or of the arena where a quoted cell holds quotes. Safe
// on any bytes. For whole files see csv_rows.h.
#pragma once

#include "engine/core/arena.h"

#include <string>
#include <string_view>
#include <vector>

namespace streamd {

struct CsvStyle {
  char separator = ',';
  char quote = '"';  // 0: none
};

// Fills `cells`. A quoted cell begins with a quote, may hold separators and line ends, and "" for a
// quote. False, with `why` for people: a quote does not close, something follows a closing quote,
// or the text has a second row.
bool read_csv_cells(std::string_view text, const CsvStyle& style, Arena& arena,
                    std::vector<std::string_view>& cells, std::string& why);

}  // namespace streamd
