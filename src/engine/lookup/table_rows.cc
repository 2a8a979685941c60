// SPDX-License-Identifier: Apache-2.0
#include "engine/lookup/table_rows.h"

#include <algorithm>
#include <string>

namespace streamd {

bool TableRows::line_break() {
  if (text_.substr(at_, 2) == "\r\n")
    at_ += 2;
  else if (text_.substr(at_, 1) == "\n")
    at_ += 1;
  else
    return false;
  ++next_line_;
  return true;
}

bool TableRows::quoted(TableCell& cell) {
  cell.quoted = true;
  const std::size_t begin = ++at_;
  bool doubled = false;
  for (;; ++at_) {
    at_ = text_.find('"', at_);
    if (at_ == std::string_view::npos) return false;
    if (text_.substr(at_ + 1, 1) != "\"") break;
    doubled = true;
    ++at_;
  }
  cell.text = text_.substr(begin, at_ - begin);
  ++at_;
  next_line_ += static_cast<std::size_t>(std::count(cell.text.begin(), cell.text.end(), '\n'));
  if (!doubled) return true;
  std::string text;
  for (std::size_t i = 0; i < cell.text.size(); ++i) {
    text.push_back(cell.text[i]);
    if (cell.text[i] == '"') ++i;
  }
  cell.text = arena_.copy(text);
  return true;
}

void TableRows::plain(TableCell& cell) {
  std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
  const bool line_ends = end < text_.size() && text_[end] == '\n';
  if (line_ends && end > at_ && text_[end - 1] == '\r') --end;
  cell.text = text_.substr(at_, end - at_);
  at_ = end;
}

bool TableRows::next(std::vector<TableCell>& cells) {
  cells.clear();
  while (line_break()) {
  }
  line_ = next_line_;
  if (broken_ || at_ >= text_.size()) return false;
  for (;;) {
    TableCell& cell = cells.emplace_back();
    if (at_ < text_.size() && text_[at_] == '"')
      broken_ = !quoted(cell);
    else
      plain(cell);
    if (broken_) return false;
    if (at_ >= text_.size() || line_break()) return true;
    if (text_[at_] != ',') {
      broken_ = true;
      return false;
    }
    ++at_;
  }
}

}  // namespace streamd
