// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/csv_rows.h"

#include "engine/codec/encode.h"

#include <fmt/format.h>

#include <iterator>

namespace streamd {

void CsvRows::field(std::string& into) {
  into.clear();
  if (at_ < text_.size() && text_[at_] == '"') {
    for (++at_;; ++at_) {
      if (at_ >= text_.size()) {
        torn_ = true;
        return;
      }
      if (text_[at_] == '"' && (++at_ >= text_.size() || text_[at_] != '"')) break;
      into += text_[at_];
    }
  }
  // What follows a closing quote belongs to the field, as spreadsheets read it.
  const std::size_t begin = at_;
  while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') ++at_;
  into += text_.substr(begin, at_ - begin);
  const bool last = at_ >= text_.size() || text_[at_] == '\n';
  if (last && at_ > begin && text_[at_ - 1] == '\r') into.pop_back();
}

bool CsvRows::next(std::vector<std::string>& fields) {
  while (at_ < text_.size() && (text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n")))
    at_ += text_[at_] == '\n' ? 1 : 2;
  std::size_t count = 0;
  if (at_ >= text_.size()) return false;
  while (true) {
    if (count == fields.size()) fields.emplace_back();
    field(fields[count++]);
    if (torn_) return false;
    if (at_ >= text_.size() || text_[at_] == '\n') break;
    ++at_;
  }
  ++at_;
  fields.resize(count);
  return true;
}

void append_csv_object(const std::vector<std::string>& names,
                       const std::vector<std::string>& fields, std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    if (i < names.size())
      append_json_string(names[i], out);
    else
      fmt::format_to(std::back_inserter(out), "\"column_{}\"", i + 1);
    out += ':';
    append_json_string(fields[i], out);
  }
  out += '}';
}

}  // namespace streamd
