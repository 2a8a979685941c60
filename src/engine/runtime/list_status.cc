// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/list_status.h"

#include "engine/api/field_type.h"
#include "engine/core/arena.h"
#include "engine/core/whole_file.h"
#include "engine/expr/json_reader.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace streamd {
namespace {

std::string path_of(const std::string& pipeline_dir, const std::string& name) {
  return pipeline_dir + "/lists/" + name + ".status.json";
}

}  // namespace

std::optional<ListStatus> read_list_status(const std::string& pipeline_dir,
                                           const std::string& name) {
  const auto text = read_whole_file(path_of(pipeline_dir, name));
  if (!text) return std::nullopt;
  Arena arena;
  const Value all = expr::read_json(*text, arena);
  const auto number = [&](const char* key) {
    const Value value = expr::member(all, key);
    return value.is(Kind::int64) ? value.as_int() : 0;
  };
  if (!all.is(Kind::map) || !expr::member(all, "loaded").is(Kind::int64)) return std::nullopt;
  ListStatus status{
      static_cast<std::size_t>(number("entries")), {number("loaded")}, {}, {number("since")}};
  if (const Value trouble = expr::member(all, "trouble"); trouble.is(Kind::string))
    status.trouble = trouble.text();
  return status;
}

void write_list_status(const std::string& pipeline_dir, const std::string& name,
                       const ListStatus& status) {
  std::error_code problem;
  if (!std::filesystem::is_directory(pipeline_dir, problem)) return;
  replace_file(
      path_of(pipeline_dir, name),
      fmt::format("{{\"entries\":{},\"loaded\":{},\"trouble\":{},\"since\":{}}}\n", status.entries,
                  status.loaded.micros, json_quote(status.trouble), status.since.micros),
      0640);
}

}  // namespace streamd
