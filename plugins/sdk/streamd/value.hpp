// SPDX-License-Identifier: Apache-2.0
// What a field of a record holds, in C++: Value to look at any of them, and As<T>, which says for
// each C++ type what it is in streamd.
#pragma once

#include "../streamd_plugin.h"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sd {

using Duration = std::chrono::microseconds;
// Microseconds since 1970, UTC.
using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;

inline sd_view view(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view text(sd_view view) {
  return view.size == 0 ? std::string_view() : std::string_view(view.data, view.size);
}

// One field of one record: 16 bytes, owns nothing, valid during the call that brought it. Each
// question has an answer only if the field holds such a thing: a text is never read as a number.
class Value {
 public:
  constexpr Value() : raw_{} {}
  constexpr explicit Value(const sd_value& raw) : raw_(raw) {}

  constexpr std::uint32_t kind() const { return raw_.kind; }  // SD_…
  constexpr bool missing() const { return raw_.kind == SD_MISSING; }
  constexpr bool null() const { return raw_.kind == SD_NULL; }
  constexpr const sd_value& raw() const { return raw_; }

  std::optional<std::string_view> text() const { return bytes_if(raw_.kind == SD_STRING); }
  std::optional<std::string_view> json() const { return bytes_if(raw_.kind == SD_JSON); }
  std::optional<std::string_view> bytes() const { return bytes_if(raw_.kind == SD_BYTES); }
  // 4 or 16 bytes in network order.
  std::optional<std::string_view> ip() const { return bytes_if(raw_.kind == SD_IP); }
  std::optional<bool> boolean() const {
    return raw_.kind == SD_BOOL ? std::optional(raw_.as.i != 0) : std::nullopt;
  }
  std::optional<std::int64_t> integer() const {
    if (raw_.kind == SD_INT) return raw_.as.i;
    if (raw_.kind == SD_UINT && raw_.as.u <= std::uint64_t{INT64_MAX})
      return static_cast<std::int64_t>(raw_.as.u);
    return std::nullopt;
  }
  // Integers too.
  std::optional<double> number() const {
    if (raw_.kind == SD_DOUBLE) return raw_.as.d;
    if (raw_.kind == SD_INT) return static_cast<double>(raw_.as.i);
    if (raw_.kind == SD_UINT) return static_cast<double>(raw_.as.u);
    return std::nullopt;
  }
  std::optional<Time> time() const {
    return raw_.kind == SD_TIMESTAMP ? std::optional(Time(Duration(raw_.as.i))) : std::nullopt;
  }
  std::optional<std::chrono::nanoseconds> duration() const {
    return raw_.kind == SD_DURATION ? std::optional(std::chrono::nanoseconds(raw_.as.i))
                                    : std::nullopt;
  }
  // Of a list its values; of a map key, value, key, value, …
  std::span<const Value> items() const;

 private:
  std::optional<std::string_view> bytes_if(bool holds) const {
    if (!holds) return std::nullopt;
    return raw_.size == 0 ? std::string_view() : std::string_view(raw_.as.s, raw_.size);
  }
  sd_value raw_;
};
static_assert(sizeof(Value) == sizeof(sd_value) && std::is_standard_layout_v<Value>);

inline std::span<const Value> Value::items() const {
  if ((raw_.kind != SD_LIST && raw_.kind != SD_MAP) || raw_.size == 0) return {};
  const std::size_t count = raw_.kind == SD_MAP ? 2 * std::size_t{raw_.size} : raw_.size;
  return {reinterpret_cast<const Value*>(raw_.as.items), count};
}

namespace detail {
inline sd_value bytes_value(std::uint32_t kind, std::string_view bytes) {
  if (bytes.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("a text of more than 4 GiB fits no field");
  return {kind, static_cast<std::uint32_t>(bytes.size()), {.s = bytes.data()}};
}
}  // namespace detail

// For a C++ type T: kind (SD_…), accepts (the kinds that from() takes, as bits), from(), to().
// What to() returns points into its argument.
template <class T>
struct As;

template <>
struct As<bool> {
  static constexpr std::uint32_t kind = SD_BOOL, accepts = 1u << SD_BOOL;
  static std::optional<bool> from(Value v) { return v.boolean(); }
  static sd_value to(bool v) { return {kind, 0, {.i = v ? 1 : 0}}; }
};

template <std::integral T>
struct As<T> {
  static constexpr std::uint32_t kind = std::is_signed_v<T> || sizeof(T) < 8 ? SD_INT : SD_UINT;
  static constexpr std::uint32_t accepts = 1u << SD_INT | 1u << SD_UINT;
  static std::optional<T> from(Value v) {
    if constexpr (kind == SD_UINT)
      if (v.kind() == SD_UINT) return static_cast<T>(v.raw().as.u);
    const auto read = v.integer();
    if (!read || !std::in_range<T>(*read)) return std::nullopt;
    return static_cast<T>(*read);
  }
  static sd_value to(T v) {
    if constexpr (kind == SD_UINT)
      return {kind, 0, {.u = v}};
    else
      return {kind, 0, {.i = v}};
  }
};

template <std::floating_point T>
struct As<T> {
  static constexpr std::uint32_t kind = SD_DOUBLE;
  static constexpr std::uint32_t accepts = 1u << SD_INT | 1u << SD_UINT | 1u << SD_DOUBLE;
  static std::optional<T> from(Value v) { return v.number(); }
  static sd_value to(T v) { return {kind, 0, {.d = v}}; }
};

template <>
struct As<std::string_view> {
  static constexpr std::uint32_t kind = SD_STRING, accepts = 1u << SD_STRING;
  static std::optional<std::string_view> from(Value v) { return v.text(); }
  static sd_value to(std::string_view v) { return detail::bytes_value(kind, v); }
};

template <>
struct As<std::string> {
  static constexpr std::uint32_t kind = SD_STRING, accepts = 1u << SD_STRING;
  static std::optional<std::string> from(Value v) {
    const auto read = v.text();
    return read ? std::optional<std::string>(*read) : std::nullopt;
  }
  static sd_value to(const std::string& v) { return detail::bytes_value(kind, v); }
};

template <>
struct As<Time> {
  static constexpr std::uint32_t kind = SD_TIMESTAMP, accepts = 1u << SD_TIMESTAMP;
  static std::optional<Time> from(Value v) { return v.time(); }
  static sd_value to(Time v) { return {kind, 0, {.i = v.time_since_epoch().count()}}; }
};

template <class Rep, class Period>
struct As<std::chrono::duration<Rep, Period>> {
  using T = std::chrono::duration<Rep, Period>;
  static constexpr std::uint32_t kind = SD_DURATION, accepts = 1u << SD_DURATION;
  static std::optional<T> from(Value v) {
    const auto read = v.duration();
    return read ? std::optional<T>(std::chrono::duration_cast<T>(*read)) : std::nullopt;
  }
  static sd_value to(T v) {
    return {kind, 0, {.i = std::chrono::duration_cast<std::chrono::nanoseconds>(v).count()}};
  }
};

template <>
struct As<Value> {
  static constexpr std::uint32_t kind = SD_ANY, accepts = 0;
  static std::optional<Value> from(Value v) { return v; }
  static sd_value to(Value v) { return v.raw(); }
};

// null and nullopt are the same.
template <class T>
struct As<std::optional<T>> {
  static constexpr std::uint32_t kind = SD_ANY;
  static constexpr std::uint32_t accepts = As<T>::accepts == 0 ? 0 : As<T>::accepts | 1u << SD_NULL;
  static std::optional<std::optional<T>> from(Value v) {
    if (v.null() || v.missing()) return std::optional<std::optional<T>>(std::in_place);
    auto read = As<T>::from(v);
    return read ? std::optional<std::optional<T>>(std::move(read)) : std::nullopt;
  }
  static sd_value to(const std::optional<T>& v) {
    return v ? As<T>::to(*v) : sd_value{SD_NULL, 0, {.i = 0}};
  }
};

template <class T>
concept Fieldlike = requires(Value v, const T& t) {
  As<T>::from(v);
  { As<T>::to(t) } -> std::same_as<sd_value>;
};

}  // namespace sd
