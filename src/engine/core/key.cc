// SPDX-License-Identifier: Apache-2.0
#include "engine/core/key.h"

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

std::optional<std::vector<Value>> decode_key(std::string_view key) {
  std::vector<Value> values;
  while (!key.empty()) {
    const auto tag = static_cast<unsigned char>(key.front());
    key.remove_prefix(1);
    if (tag >= static_cast<unsigned char>(Kind::error)) return std::nullopt;
    const auto kind = static_cast<Kind>(tag);
    std::int64_t i = 0;
    double d = 0;
    std::uint32_t n = 0;
    switch (kind) {
      case Kind::missing: values.push_back(Value::missing()); break;
      case Kind::null: values.push_back(Value::null()); break;
      case Kind::boolean:
        if (key.empty()) return std::nullopt;
        values.push_back(Value::boolean(key.front() != 0));
        key.remove_prefix(1);
        break;
      case Kind::int64:
        if (!take(key, i)) return std::nullopt;
        values.push_back(Value::int64(i));
        break;
      case Kind::uint64:
        if (!take(key, i)) return std::nullopt;
        values.push_back(Value::uint64(static_cast<std::uint64_t>(i)));
        break;
      case Kind::duration:
        if (!take(key, i)) return std::nullopt;
        values.push_back(Value::duration(i));
        break;
      case Kind::float64:
        if (!take(key, d)) return std::nullopt;
        values.push_back(Value::float64(d));
        break;
      case Kind::timestamp:
        if (!take(key, i) || !take(key, n)) return std::nullopt;
        values.push_back(Value::timestamp({i}, n));
        break;
      default: {
        if (!take(key, n) || key.size() < n) return std::nullopt;
        const std::string_view text = key.substr(0, n);
        key.remove_prefix(n);
        switch (kind) {
          case Kind::string: values.push_back(Value::string(text)); break;
          case Kind::bytes: values.push_back(Value::bytes(text)); break;
          case Kind::ip: values.push_back(Value::ip(text)); break;
          case Kind::cidr: values.push_back(Value::cidr(text)); break;
          // A list or map comes back as opaque text: keys are compared, not computed with.
          default: values.push_back(Value::json(text)); break;
        }
      }
    }
  }
  return values;
}

}  // namespace streamd
