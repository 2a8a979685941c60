// SPDX-License-Identifier: Apache-2.0
#include "lists/format/csv_row.h"

#include "lists/format/line_cursor.h"

#include <algorithm>

namespace streamd::format {

void CsvCursor::skip_to_row() {
  while (at_ < text_.size()) {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = blank_trimmed(text_.substr(at_, end - at_));
    if (!line.empty() && line.front() != '#') return;
    if (!line.empty()) comment_ = blank_trimmed(line.substr(1));
    at_ = end + 1;
    ++next_line_;
  }
}

std::string_view CsvCursor::quoted() {
  const std::size_t begin = ++at_;
  std::size_t end = text_.find('"', at_);
  const bool doubled = end != std::string_view::npos && text_.substr(end).starts_with("\"\"");
  std::string* whole = doubled ? &unquoted_.emplace_back() : nullptr;
  std::size_t from = begin;
  while (end != std::string_view::npos && text_.substr(end).starts_with("\"\"")) {
    whole->append(text_.substr(from, end + 1 - from));
    from = end + 2;
    end = text_.find('"', from);
  }
  torn_ = end == std::string_view::npos;
  if (torn_) end = text_.size();
  next_line_ +=
      static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                          text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
  at_ = std::min(end + 1, text_.size());
  if (whole == nullptr) return text_.substr(begin, end - begin);
  return whole->append(text_.substr(from, end - from));
}

std::string_view CsvCursor::cell() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t') &&
         text_[at_] != separator_)
    ++at_;
  const bool has_quotes = at_ < text_.size() && text_[at_] == '"';
  const std::string_view inside = has_quotes ? quoted() : std::string_view{};
  const std::size_t begin = at_;
  while (!at_end_of_line() && text_[at_] != separator_) ++at_;
  // What stands between a closing quote and the separator is not part of anything.
  return has_quotes ? blank_trimmed(inside) : blank_trimmed(text_.substr(begin, at_ - begin));
}

bool CsvCursor::next(std::vector<std::string_view>& cells) {
  cells.clear();
  unquoted_.clear();
  skip_to_row();
  if (at_ >= text_.size()) return false;
  line_ = next_line_;
  for (;;) {
    cells.push_back(cell());
    if (torn_) return false;
    if (at_end_of_line()) break;
    ++at_;
  }
  ++at_;
  ++next_line_;
  return true;
}

std::vector<std::string> split_csv(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  CsvCursor cursor(line, separator);
  cursor.next(cells);
  return {cells.begin(), cells.end()};
}

}  // namespace streamd::format
