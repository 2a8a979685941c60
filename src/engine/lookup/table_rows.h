// SPDX-License-Identifier: Apache-2.0
// TableRows: rows of a text in RFC 4180, LF or CRLF, one after the other. Safe on any bytes.
#pragma once

#include "engine/core/arena.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace streamd {

struct TableCell {
  std::string_view text;  // in the text, or in the arena when quotes had to be undone
  bool quoted = false;
};

class TableRows {
 public:
  TableRows(std::string_view text, Arena& arena) : text_(text), arena_(arena) {}
  // False: no more rows, or broken(). Empty lines are no rows.
  bool next(std::vector<TableCell>& cells);
  // A quoted cell is not closed, or something follows its quote.
  bool broken() const { return broken_; }
  std::size_t line() const { return line_; }  // where the last row began, from 1

 private:
  bool quoted(TableCell& cell);
  void plain(TableCell& cell);
  bool line_break();

  std::string_view text_;
  Arena& arena_;
  std::size_t at_ = 0;
  std::size_t next_line_ = 1, line_ = 0;
  bool broken_ = false;
};

}  // namespace streamd
