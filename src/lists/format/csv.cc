// SPDX-License-Identifier: Apache-2.0
#include "lists/format/csv_row.h"
#include "lists/format/read_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace streamd::format {
namespace {

enum Cell : std::size_t {
  value,
  comment,
  type,
  source,
  tags,
  score,
  first_seen,
  last_seen,
  expires
};
constexpr std::size_t kCells = 9;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::array<std::string, kCells> names_of(const ListColumns& c) {
  return {c.value, c.comment,    c.type,      c.source, c.tags,
          c.score, c.first_seen, c.last_seen, c.expires};
}

// A column's number from 1, as an index; kNone: it is a name.
std::size_t number_of(const std::string& column) {
  std::size_t number = 0;
  const auto [end, problem] = std::from_chars(column.data(), column.data() + column.size(), number);
  const bool good = problem == std::errc() && end == column.data() + column.size() && number > 0;
  return good ? number - 1 : kNone;
}

class Columns {
 public:
  explicit Columns(const ListColumns& columns) : names_(names_of(columns)) {
    for (std::size_t i = 0; i < kCells; ++i) {
      at_[i] = names_[i].empty() ? kNone : number_of(names_[i]);
      named_ = named_ || (!names_[i].empty() && at_[i] == kNone);
    }
  }
  bool named() const { return named_; }
  // The names that are missing among these; empty: all are there.
  template <class Header>
  std::string resolve(const Header& header) {
    std::string missing;
    for (std::size_t i = 0; i < kCells; ++i) {
      if (names_[i].empty() || number_of(names_[i]) != kNone) continue;
      const auto found = std::find(header.begin(), header.end(), names_[i]);
      if (found == header.end())
        missing += (missing.empty() ? "\"" : ", \"") + names_[i] + "\"";
      else
        at_[i] = static_cast<std::size_t>(found - header.begin());
    }
    return missing;
  }
  std::string_view of(const std::vector<std::string_view>& cells, Cell cell) const {
    return at_[cell] < cells.size() ? cells[at_[cell]] : std::string_view{};
  }

 private:
  std::array<std::string, kCells> names_;
  std::array<std::size_t, kCells> at_{};
  bool named_ = false;
};

std::string_view read_row(const Columns& columns, const std::vector<std::string_view>& cells,
                          IndicatorKind kind, EntryWriter& to) {
  FoundEntry entry;
  entry.kind = kind;
  entry.value = columns.of(cells, value);
  entry.comment = columns.of(cells, comment);
  entry.type = columns.of(cells, type);
  entry.source = columns.of(cells, source);
  entry.tags = columns.of(cells, tags);
  const auto points = read_list_score(columns.of(cells, score));
  if (!points) return "has a score that is no number";
  const auto first = read_list_time(columns.of(cells, first_seen), EventTime::min());
  if (!first) return "has a first_seen that is no time";
  const auto last = read_list_time(columns.of(cells, last_seen), EventTime::min());
  if (!last) return "has a last_seen that is no time";
  const auto end = read_list_time(columns.of(cells, expires), EventTime::max());
  if (!end) return "has an expires that is no time";
  entry.score = *points;
  entry.first_seen = *first;
  entry.last_seen = *last;
  entry.expires = *end;
  return to.add(entry);
}

// Whether the first row holds names and no entry: those that columns asks for stand there, or in
// the last comment before it.
Result<bool> resolve_names(const FormatConfig& config, const CsvCursor& rows,
                           const std::vector<std::string_view>& first, Columns& columns) {
  if (!columns.named()) return config.header.value_or(false);
  const std::string not_in_row = columns.resolve(first);
  if (not_in_row.empty() && config.header.value_or(true)) return true;
  const auto comment = split_csv(rows.comment(), separator_of(config));
  const std::string not_in_comment = columns.resolve(comment);
  if (not_in_comment.empty()) return config.header.value_or(false);
  return fail_for_now(fmt::format("line {} does not name the column {}", rows.line(),
                                  not_in_row.empty() ? not_in_comment : not_in_row),
                      "is it the right file? columns may be numbers from 1, too");
}

}  // namespace

Status read_csv(const FormatConfig& config, std::string_view text, EntryWriter& to,
                ListReading& reading) {
  Columns columns(config.columns);
  CsvCursor rows(text, separator_of(config));
  std::vector<std::string_view> cells;
  bool first = true;
  while (rows.next(cells)) {
    if (std::exchange(first, false)) {
      const auto is_header = resolve_names(config, rows, cells, columns);
      if (!is_header) return tl::unexpected(is_header.error());
      if (*is_header) continue;
    }
    if (const auto why = read_row(columns, cells, kind_of(config.entries), to); !why.empty())
      reading.broken.add(rows.line(), columns.of(cells, value), why);
  }
  reading.count = rows.lines();
  if (rows.torn())
    return fail_for_now(
        fmt::format("the text ends inside quotes that begin in line {}", rows.line()),
        "not all of it is there, or a quote is missing");
  return {};
}

}  // namespace streamd::format
