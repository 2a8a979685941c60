// SPDX-License-Identifier: Apache-2.0
// CSV (RFC 4180) as rows of fields, and a row as a JSON object under the names of a header row.
// Safe on any bytes. Lines end with LF or CR LF; a quoted field may hold both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// One text, row by row. The text must outlive it. One thread.
class CsvRows {
 public:
  explicit CsvRows(std::string_view text, char separator = ',')
      : text_(text), separator_(separator) {}
  // The next row that is not an empty line; false: there is none, or the text ends inside quotes
  // (torn() then). `fields` keeps its strings' memory.
  bool next(std::vector<std::string>& fields);
  bool torn() const { return torn_; }

 private:
  void field(std::string& into);

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  bool torn_ = false;
};

// Appends {"name":"field",…}, all values text. Fields beyond the names are named by their number
// from 1 ("column_4"); missing ones are left out. Bytes that are no UTF-8 stay as they are.
void append_csv_object(const std::vector<std::string>& names,
                       const std::vector<std::string>& fields, std::string& out);

}  // namespace streamd
