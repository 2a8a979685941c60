// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "engine/expr/json_reader.h"
#include "engine/lookup/lookup.h"
#include "engine/lookup/table_rows.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace streamd {
namespace {

class Table final : public Lookup {
 public:
  Table(std::string text, std::size_t width) : text_(std::move(text)), width_(width) {}

  bool find(std::string_view key, Arena&, Value* into) const override {
    const auto row = rows_.find(key);
    if (row == rows_.end()) return false;
    std::copy_n(values_.data() + row->second * width_, width_, into);
    return true;
  }

  Status read_csv(const std::string& key, const std::vector<std::string>& columns);
  Status read_json(const std::string& key, const std::vector<std::string>& columns);
  std::string_view text() const { return text_; }

 private:
  void add(std::string_view key, const std::vector<Value>& values) {
    rows_[key] = values_.size() / std::max<std::size_t>(1, width_);
    values_.insert(values_.end(), values.begin(), values.end());
  }

  const std::string text_;
  const std::size_t width_;
  Arena arena_{64 * 1024};
  std::vector<Value> values_;
  absl::flat_hash_map<std::string_view, std::size_t> rows_;
};

tl::unexpected<Error> bad_line(std::size_t line, const std::string& what) {
  return fail(ErrorKind::data, fmt::format("line {}: {}", line, what));
}

Status Table::read_csv(const std::string& key, const std::vector<std::string>& columns) {
  TableRows rows(text_, arena_);
  std::vector<TableCell> cells;
  if (!rows.next(cells)) return bad_line(1, "no header");
  const auto place_of = [&](const std::string& name) -> std::optional<std::size_t> {
    for (std::size_t c = 0; c < cells.size(); ++c)
      if (cells[c].text == name) return c;
    return std::nullopt;
  };
  const auto key_at = place_of(key);
  if (!key_at) return bad_line(1, fmt::format("there is no column \"{}\"", key));
  std::vector<std::size_t> at;
  for (const std::string& column : columns) {
    const auto found = place_of(column);
    if (!found) return bad_line(1, fmt::format("there is no column \"{}\"", column));
    at.push_back(*found);
  }
  const std::size_t width = cells.size();
  std::vector<Value> values(columns.size());
  while (rows.next(cells)) {
    if (cells.size() != width)
      return bad_line(rows.line(),
                      fmt::format("{} cells, but the header has {}", cells.size(), width));
    for (std::size_t v = 0; v < at.size(); ++v) {
      const TableCell& cell = cells[at[v]];
      values[v] = cell.text.empty() && !cell.quoted ? Value::missing() : Value::string(cell.text);
    }
    add(cells[*key_at].text, values);
  }
  if (rows.broken()) return bad_line(rows.line(), "a quote is not closed");
  return {};
}

Status Table::read_json(const std::string& key, const std::vector<std::string>& columns) {
  std::vector<Value> values(columns.size());
  std::size_t number = 0;
  for (std::string_view left = text_; !left.empty();) {
    ++number;
    const std::size_t end = std::min(left.find('\n'), left.size());
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Value record = expr::read_json(line, arena_);
    if (!record.is(Kind::map)) return bad_line(number, "no JSON object");
    const Value at = expr::at_path(record, key);
    if (at.absent()) return bad_line(number, fmt::format("there is no \"{}\"", key));
    for (std::size_t v = 0; v < columns.size(); ++v) values[v] = expr::at_path(record, columns[v]);
    std::string text;
    if (!at.is(Kind::string)) append_json(at, text);
    add(at.is(Kind::string) ? at.text() : arena_.copy(text), values);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Lookup>> read_table(std::string text, const std::string& key,
                                                 const std::vector<std::string>& columns) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  auto table = std::make_shared<Table>(std::move(text), columns.size());
  const std::size_t first = table->text().find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && table->text()[first] == '{';
  STREAMD_TRY(json ? table->read_json(key, columns) : table->read_csv(key, columns));
  return table;
}

Result<std::shared_ptr<const Lookup>> open_table(const std::string& path, const std::string& key,
                                                 const std::vector<std::string>& columns) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad())
    return fail(ErrorKind::config, fmt::format("{}: {}", path, std::strerror(errno)),
                "Name a CSV file with a header line, or one of JSON lines.");
  auto table = read_table(std::move(text), key, columns);
  if (!table) return in_context(std::move(table).error(), path);
  return table;
}

}  // namespace streamd
