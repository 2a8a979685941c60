// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/object_changes.h"

#include "engine/codec/raw_json.h"

namespace streamd {
namespace {

// Of a change below the key: what is left of its path there.
template <class IsKey>
std::vector<ObjectChange> below(const std::vector<ObjectChange>& changes, IsKey is_key) {
  std::vector<ObjectChange> inner;
  for (const ObjectChange& change : changes) {
    const std::size_t dot = change.path.find('.');
    if (dot == std::string_view::npos || !is_key(change.path.substr(0, dot))) continue;
    inner.push_back({change.path.substr(dot + 1), change.value, change.written});
  }
  return inner;
}

bool leaves_out(const ObjectChange& change) {
  return change.value == nullptr || change.value->is(Kind::missing);
}

Value changed_map(const Value& map, const std::vector<ObjectChange>& changes, Arena& arena,
                  std::string& text) {
  Value* const pairs = arena.values(2 * std::size_t{map.size()});
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < map.size(); ++i) {
    const Value& key = map.items()[2 * i];
    Value value = map.items()[2 * i + 1];
    if (key.is(Kind::string)) {
      const ObjectChange* hit = nullptr;
      for (const ObjectChange& change : changes)
        if (change.path == key.text()) hit = &change;
      if (hit != nullptr && leaves_out(*hit)) continue;
      const auto is_key = [&](std::string_view name) { return name == key.text(); };
      value =
          hit != nullptr ? *hit->value : changed_object(value, below(changes, is_key), arena, text);
    }
    pairs[2 * count] = key;
    pairs[2 * count + 1] = value;
    ++count;
  }
  return Value::map(pairs, count);
}

}  // namespace

bool has_below(const std::vector<ObjectChange>& changes, std::string_view raw_key) {
  for (const ObjectChange& change : changes) {
    const std::size_t dot = change.path.find('.');
    if (dot != std::string_view::npos && key_is(raw_key, change.path.substr(0, dot))) return true;
  }
  return false;
}

void append_changed_member(std::string_view key, std::string_view whole, std::string_view object,
                           const std::vector<ObjectChange>& changes, TimeStyle style,
                           std::string& out) {
  const auto is_key = [&](std::string_view name) { return key_is(key, name); };
  append_one_line(whole.substr(0, whole.size() - object.size()), out);
  append_changed_object(object, below(changes, is_key), style, out);
}

void append_changed_object(std::string_view object, const std::vector<ObjectChange>& changes,
                           TimeStyle style, std::string& out) {
  RawMembers members(object);
  bool first = true;
  const auto comma = [&] {
    if (!first) out += ',';
    first = false;
  };
  out += '{';
  while (const auto member = members.next()) {
    const ObjectChange* hit = nullptr;
    for (const ObjectChange& change : changes) {
      if (key_is(member->key, change.path)) hit = &change;
    }
    if (hit != nullptr) {
      if (leaves_out(*hit) || *hit->written) continue;
      comma();
      out += member->whole.substr(0, member->key.size() + 2);
      out += ':';
      append_json(*hit->value, out, style);
      *hit->written = 1;
    } else if (member->value.front() == '{' && has_below(changes, member->key)) {
      comma();
      append_changed_member(member->key, member->whole, member->value, changes, style, out);
    } else {
      comma();
      append_one_line(member->whole, out);
    }
  }
  out += '}';
}

Value changed_object(const Value& object, const std::vector<ObjectChange>& changes, Arena& arena,
                     std::string& text) {
  if (changes.empty()) return object;
  if (object.is(Kind::map)) return changed_map(object, changes, arena, text);
  if (!object.is(Kind::json) || !object.text().starts_with('{')) return object;
  text.clear();
  append_changed_object(object.text(), changes, TimeStyle::rfc3339, text);
  return Value::json(arena.copy(text));
}

}  // namespace streamd
