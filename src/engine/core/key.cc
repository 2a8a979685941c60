// SPDX-License-Identifier: Apache-2.0
#include "engine/core/key.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace streamd {
namespace {

template <class T>
void put(std::string& out, T v) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &v, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <class T>
bool take(std::string_view& in, T& v) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&v, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

}  // namespace

void append_key(const Value& value, std::string& key) {
  key.push_back(static_cast<char>(value.kind()));
  switch (value.kind()) {
    case Kind::missing:
    case Kind::null: return;
    case Kind::boolean: key.push_back(value.as_bool() ? 1 : 0); return;
    case Kind::int64:
    case Kind::uint64:
    case Kind::duration: put(key, value.as_int()); return;
    case Kind::float64: {
      double d = value.as_double();
      if (d == 0.0) d = 0.0;
      if (std::isnan(d)) d = std::numeric_limits<double>::quiet_NaN();
      put(key, d);
      return;
    }
    case Kind::timestamp:
      put(key, value.as_time().micros);
      put(key, value.size());
      return;
    case Kind::list:
    case Kind::map: {
      std::string inner;
      const std::uint32_t count = value.size() * (value.is(Kind::map) ? 2u : 1u);
      for (std::uint32_t i = 0; i < count; ++i) append_key(value.items()[i], inner);
      put_text(key, inner);
      return;
    }
    default: put_text(key, value.text()); return;
  }
}

void write_text_key_front(std::string_view text, char* to) {
  const auto size = static_cast<std::uint32_t>(text.size());
  *to = static_cast<char>(Kind::string);
  std::memcpy(to + 1, &size, sizeof size);
}

namespace {

bool is_text_key(std::string_view key) {
  if (key.size() < kTextKeyFront || key.front() != static_cast<char>(Kind::string)) return false;
  std::uint32_t size = 0;
  std::memcpy(&size, key.data() + 1, sizeof size);
  return size == key.size() - kTextKeyFront;
}

}  // namespace

std::uint64_t hash_key(std::string_view key, std::uint64_t seed) {
  return is_text_key(key) ? hash_text_key(key.substr(kTextKeyFront), seed) : hash_bytes(key, seed);
}

namespace {

// Deeper than anything that is parsed: only damaged bytes are.
constexpr int kMostNested = 1000;

bool take_values(std::string_view key, Arena* arena, int depth, std::vector<Value>& values);

bool take_text(std::string_view& key, std::string_view& text) {
  std::uint32_t size = 0;
  if (!take(key, size) || key.size() < size) return false;
  text = key.substr(0, size);
  key.remove_prefix(size);
  return true;
}

// Without an arena the items are looked at only.
bool take_items(std::string_view& key, Kind kind, Arena* arena, int depth, Value& value) {
  std::string_view inner;
  std::vector<Value> items;
  if (depth >= kMostNested || !take_text(key, inner) ||
      !take_values(inner, arena, depth + 1, items))
    return false;
  if (kind == Kind::map && items.size() % 2 != 0) return false;
  if (arena == nullptr) return true;
  Value* const to = arena->values(items.size());
  std::copy(items.begin(), items.end(), to);
  const auto count = static_cast<std::uint32_t>(items.size());
  value = kind == Kind::list ? Value::list(to, count) : Value::map(to, count / 2);
  return true;
}

bool take_value(std::string_view& key, Arena* arena, int depth, Value& value) {
  const auto tag = static_cast<unsigned char>(key.front());
  key.remove_prefix(1);
  if (tag >= static_cast<unsigned char>(Kind::error)) return false;
  const auto kind = static_cast<Kind>(tag);
  std::int64_t i = 0;
  double d = 0;
  std::uint32_t n = 0;
  std::string_view text;
  switch (kind) {
    case Kind::missing: value = Value::missing(); return true;
    case Kind::null: value = Value::null(); return true;
    case Kind::boolean:
      if (key.empty()) return false;
      value = Value::boolean(key.front() != 0);
      key.remove_prefix(1);
      return true;
    case Kind::int64:
      if (!take(key, i)) return false;
      value = Value::int64(i);
      return true;
    case Kind::uint64:
      if (!take(key, i)) return false;
      value = Value::uint64(static_cast<std::uint64_t>(i));
      return true;
    case Kind::duration:
      if (!take(key, i)) return false;
      value = Value::duration(i);
      return true;
    case Kind::float64:
      if (!take(key, d)) return false;
      value = Value::float64(d);
      return true;
    case Kind::timestamp:
      if (!take(key, i) || !take(key, n)) return false;
      value = Value::timestamp({i}, n);
      return true;
    case Kind::list:
    case Kind::map: return take_items(key, kind, arena, depth, value);
    default: break;
  }
  if (!take_text(key, text)) return false;
  switch (kind) {
    case Kind::string: value = Value::string(text); break;
    case Kind::bytes: value = Value::bytes(text); break;
    case Kind::ip: value = Value::ip(text); break;
    case Kind::cidr: value = Value::cidr(text); break;
    default: value = Value::json(text); break;
  }
  return true;
}

bool take_values(std::string_view key, Arena* arena, int depth, std::vector<Value>& values) {
  while (!key.empty()) {
    Value value;
    if (!take_value(key, arena, depth, value)) return false;
    values.push_back(value);
  }
  return true;
}

}  // namespace

std::optional<std::size_t> count_key(std::string_view key) {
  std::size_t count = 0;
  for (Value value; !key.empty(); ++count)
    if (!take_value(key, nullptr, 0, value)) return std::nullopt;
  return count;
}

std::optional<std::vector<Value>> decode_key(std::string_view key, Arena& arena) {
  std::vector<Value> values;
  if (!take_values(key, &arena, 0, values)) return std::nullopt;
  return values;
}

}  // namespace streamd
