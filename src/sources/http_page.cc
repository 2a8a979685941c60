// SPDX-License-Identifier: Apache-2.0
#include "sources/http_page.h"

#include "engine/codec/csv_rows.h"
#include "engine/codec/json_slices.h"
#include "engine/core/block_pool.h"
#include "engine/io/http/headers.h"
#include "sources/line_block.h"

#include <fmt/format.h>

#include <limits>
#include <memory>
#include <vector>

namespace streamd {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

tl::unexpected<Error> not_json(std::string_view body, const std::string& path) {
  const auto first = body.find_first_not_of(kSpace);
  if (first == std::string_view::npos)
    return fail_for_now("the answer is empty", "Check the URL, or choose another `format`.");
  if (body[first] == '<')
    return fail_for_now("the answer is HTML instead of JSON",
                        "Check the URL; a login page, a proxy or an error page answers like that.");
  if (body[first] != '{' && body[first] != '[')
    return fail_for_now("the answer is no JSON", "Check the URL and `format`.");
  if (goes_on_behind_json(body))
    return fail_for_now("something follows the JSON array or object of the answer",
                        "Several JSON values, one on a line, are `format: ndjson`.");
  if (path.empty()) return fail_for_now("the answer is no complete JSON array or object");
  return fail_for_now(fmt::format("the answer has no array or object at \"{}\"", path),
                      "Check `path`; the answer may also be incomplete.");
}

Result<RawBatch> json_page(std::string body, const std::string& path, EventTime arrival) {
  auto text = std::make_shared<std::string>(std::move(body));
  const std::size_t size = text->size();
  text->append(kBlockPadding, '\0');
  const std::string_view json(text->data(), size);
  const auto value = find_json(json, path);
  std::vector<std::string_view> items;
  if (!value || !slice_json(*value, items)) return not_json(json, path);
  RawBatch batch;
  for (const auto item : items) batch.records.push_back({item, 0, arrival});
  batch.buffer = std::move(text);
  batch.padding = kBlockPadding;
  return batch;
}

Result<RawBatch> lines_page(std::string body, EventTime arrival) {
  auto text = std::make_shared<std::string>(std::move(body));
  const std::size_t size = text->size();
  text->append(kBlockPadding, '\0');
  RawBatch batch;
  const std::size_t taken =
      take_lines(text->data(), size, 0, arrival, std::numeric_limits<std::size_t>::max(), batch);
  append_line(text->data() + taken, size - taken, 0, arrival, batch);
  batch.buffer = std::move(text);
  batch.padding = kBlockPadding;
  return batch;
}

Result<RawBatch> csv_page(const std::string& body, char separator, EventTime arrival) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  CsvRows rows(std::string_view(body).substr(body.starts_with(kMark) ? kMark.size() : 0),
               separator);
  std::vector<std::string> names, fields;
  RawBatch batch;
  auto text = std::make_shared<std::string>();
  std::vector<std::size_t> ends;
  if (rows.next(names)) {
    while (rows.next(fields)) {
      append_csv_object(names, fields, *text);
      ends.push_back(text->size());
    }
  }
  if (rows.torn())
    return fail_for_now("the CSV ends inside a quoted field",
                        "The answer may be incomplete, or `separator` is another one.");
  text->append(kBlockPadding, '\0');
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    batch.records.push_back({std::string_view(*text).substr(begin, end - begin), 0, arrival});
    begin = end;
  }
  batch.buffer = std::move(text);
  batch.padding = kBlockPadding;
  return batch;
}

// The value of a parameter of a link, and what follows it.
std::string_view parameter_value(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const std::size_t end = rest.find_first_of(";,");
    const std::string_view value = rest.substr(0, end);
    rest.remove_prefix(value.size());
    return value.substr(0, value.find_last_not_of(kSpace) + 1);
  }
  const std::size_t end = rest.find('"', 1);
  const std::string_view value =
      rest.substr(1, (end == std::string_view::npos ? rest.size() : end) - 1);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return value;
}

bool holds_next(std::string_view relations) {
  while (!relations.empty()) {
    const std::size_t end = relations.find(' ');
    if (http::same_token(relations.substr(0, end), "next")) return true;
    relations.remove_prefix(end == std::string_view::npos ? relations.size() : end + 1);
  }
  return false;
}

void skip(std::string_view& text, std::string_view what) {
  const std::size_t first = text.find_first_not_of(what);
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

}  // namespace

Result<RawBatch> read_page(std::string body, const HttpSourceConfig& config, EventTime arrival) {
  switch (config.format) {
    case HttpFormat::json: return json_page(std::move(body), config.path, arrival);
    case HttpFormat::csv: return csv_page(body, config.separator[0], arrival);
    case HttpFormat::ndjson: {
      const auto first = body.find_first_not_of(kSpace);
      if (first != std::string::npos && body[first] == '<') return not_json(body, "");
      return lines_page(std::move(body), arrival);
    }
    case HttpFormat::lines: return lines_page(std::move(body), arrival);
  }
  return RawBatch{};
}

std::optional<std::string> next_cursor(std::string_view body, std::string_view path) {
  const auto value = find_json(body, path);
  if (!value) return std::nullopt;
  auto text = json_scalar_text(*value);
  if (!text || text->empty() || *text == "false") return std::nullopt;
  return text;
}

std::optional<std::string> next_link(std::string_view header) {
  while (true) {
    skip(header, " \t,");
    if (!header.starts_with('<')) return std::nullopt;
    const std::size_t close = header.find('>');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view target = header.substr(1, close - 1);
    header.remove_prefix(close + 1);
    bool next = false;
    for (skip(header, " \t"); header.starts_with(';'); skip(header, " \t")) {
      skip(header, "; \t");
      const std::size_t end = header.find_first_of("=;,");
      const std::string_view name = header.substr(0, end);
      header.remove_prefix(name.size());
      if (!header.starts_with('=')) continue;
      header.remove_prefix(1);
      const std::string_view value = parameter_value(header);
      next = next || (http::same_token(name, "rel") && holds_next(value));
    }
    if (next) return std::string(target);
  }
}

}  // namespace streamd
