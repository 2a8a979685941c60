// SPDX-License-Identifier: Apache-2.0
#include "lists/list_copy.h"

#include "engine/api/field_type.h"
#include "engine/core/arena.h"
#include "engine/core/whole_file.h"
#include "engine/expr/json_reader.h"

#include <fmt/format.h>

#include <charconv>

namespace streamd {
namespace {

constexpr std::string_view kMark = "streamd-list-1 ";

std::string text_at(const Value& map, std::string_view key) {
  const Value value = expr::member(map, key);
  return value.is(Kind::string) ? std::string(value.text()) : std::string();
}
std::int64_t int_at(const Value& map, std::string_view key) {
  const Value value = expr::member(map, key);
  return value.is(Kind::int64) ? value.as_int() : 0;
}

}  // namespace

std::string list_copy_path(const std::string& state_dir, const std::string& name) {
  return state_dir + "/lists/" + name + ".json";
}

std::optional<std::string> read_list_copy(const std::string& path) { return read_whole_file(path); }

Status write_list_copy(const std::string& path, const std::string& text) {
  if (const auto error = replace_file(path, text, 0640))
    return fail_for_now(fmt::format("cannot write {}: {}", path, error.message()));
  return {};
}

std::string download_copy_path(const std::string& state_dir, const std::string& name) {
  return state_dir + "/lists/" + name + ".copy";
}

std::optional<DownloadCopy> read_download_copy(const std::string& path) {
  auto text = read_whole_file(path);
  if (!text || !text->starts_with(kMark)) return std::nullopt;
  const std::size_t end = text->find('\n');
  if (end == std::string::npos) return std::nullopt;
  Arena arena;
  const Value head =
      expr::read_json(std::string_view(*text).substr(kMark.size(), end - kMark.size()), arena);
  if (!head.is(Kind::map)) return std::nullopt;
  DownloadCopy copy;
  const std::string address = text_at(head, "address");
  std::from_chars(address.data(), address.data() + address.size(), copy.address, 16);
  copy.etag = text_at(head, "etag");
  copy.last_modified = text_at(head, "last_modified");
  copy.entries = static_cast<std::size_t>(int_at(head, "entries"));
  copy.fetched = {int_at(head, "fetched")};
  const std::int64_t size = int_at(head, "size");
  text->erase(0, end + 1);
  if (size < 0 || text->size() != static_cast<std::size_t>(size)) return std::nullopt;
  copy.text = std::move(*text);
  return copy;
}

Status write_download_copy(const std::string& path, const DownloadCopy& copy) {
  return write_list_copy(
      path, fmt::format("{}{{\"address\":\"{:x}\",\"etag\":{},\"last_modified\":{},\"entries\":{},"
                        "\"fetched\":{},\"size\":{}}}\n{}",
                        kMark, copy.address, json_quote(copy.etag), json_quote(copy.last_modified),
                        copy.entries, copy.fetched.micros, copy.text.size(), copy.text));
}

}  // namespace streamd
