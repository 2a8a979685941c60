// SPDX-License-Identifier: Apache-2.0
// CsvCursor: rows of a feed, one after the other, with the numbers of their lines. More lenient
// than RFC 4180, as feeds are: blanks around a cell and its quotes do not count, rows that begin
// with # are comments. Safe on any bytes. Private to format/.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::format {

class CsvCursor {
 public:
  CsvCursor(std::string_view text, char separator) : text_(text), separator_(separator) {}

  // False: no more rows, or torn(). Cells are valid until the next call.
  bool next(std::vector<std::string_view>& cells);
  // The text ends inside quotes.
  bool torn() const { return torn_; }
  // Where the row that next() gave begins, and where what was read ends; from 1.
  std::size_t line() const { return line_; }
  std::size_t lines() const { return next_line_ - 1; }
  // The last comment that next() passed, without its #.
  std::string_view comment() const { return comment_; }

 private:
  std::string_view cell();
  std::string_view quoted();
  void skip_to_row();
  bool at_end_of_line() const { return at_ >= text_.size() || text_[at_] == '\n'; }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::size_t next_line_ = 1, line_ = 0;
  bool torn_ = false;
  std::string_view comment_;
  std::deque<std::string> unquoted_;  // cells with doubled quotes in them
};

// The cells of one line without line ends in it.
std::vector<std::string> split_csv(std::string_view line, char separator);

}  // namespace streamd::format
