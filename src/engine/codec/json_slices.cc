// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_slices.h"

#include "engine/codec/json_text.h"
#include "engine/codec/raw_json.h"

namespace streamd {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_json_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_json_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::string_view> find_json(std::string_view text, std::string_view path) {
  std::string_view value = trimmed(text);
  for (bool more = !path.empty(); more;) {
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    more = dot != std::string_view::npos;
    if (more) path.remove_prefix(dot + 1);
    std::optional<std::string_view> found;
    RawMembers members(value);
    while (const auto member = members.next())
      if (key_is(member->key, name)) found = member->value;
    if (members.broken() || !trimmed(members.rest()).empty() || !found) return std::nullopt;
    value = *found;
  }
  return value;
}

bool slice_json(std::string_view value, std::vector<std::string_view>& into) {
  value = trimmed(value);
  if (value.empty()) return false;
  const std::size_t before = into.size();
  if (value.front() == '{') {
    RawMembers members(value);
    while (members.next()) {
    }
    if (members.broken() || !trimmed(members.rest()).empty()) return false;
    into.push_back(value);
    return true;
  }
  RawItems items(value);
  while (const auto item = items.next()) into.push_back(*item);
  const bool whole = !items.broken() && trimmed(items.rest()).empty();
  if (!whole) into.resize(before);
  return whole;
}

bool goes_on_behind_json(std::string_view text) {
  text = trimmed(text);
  const auto goes_on = [](auto walk) {
    while (walk.next()) {
    }
    return !walk.broken() && !trimmed(walk.rest()).empty();
  };
  return text.starts_with('{') ? goes_on(RawMembers(text)) : goes_on(RawItems(text));
}

std::optional<std::string> json_scalar_text(std::string_view value) {
  value = trimmed(value);
  if (value.empty() || value.front() == '{' || value.front() == '[' || value == "null")
    return std::nullopt;
  if (value.front() != '"') {
    if (value != "true" && value != "false" && !read_json_number(value, nullptr))
      return std::nullopt;
    return std::string(value);
  }
  if (value.size() < 2 || value.back() != '"') return std::nullopt;
  value = value.substr(1, value.size() - 2);
  std::string plain(value.size(), '\0');
  std::size_t size = 0;
  if (!unescape_json(value, plain.data(), size)) return std::nullopt;
  plain.resize(size);
  return plain;
}

}  // namespace streamd
