// SPDX-License-Identifier: Apache-2.0
// Value: one field of one record, 16 bytes. Anything longer lives in a buffer or arena that the
// batch keeps alive (batch.h); a Value never owns. Trivially copyable on purpose.
#pragma once

#include "engine/core/time.h"

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace streamd {

// Values are on disk and in the plugin ABI: append only, never renumber.
enum class Kind : std::uint8_t {
  missing = 0,  // the record has no such field
  null = 1,     // the field is there and is null
  boolean = 2,
  int64 = 3,
  float64 = 4,
  string = 5,     // UTF-8
  timestamp = 6,  // microseconds since 1970, plus nanoseconds inside the microsecond in size()
  json = 7,       // an untouched JSON object or array, as text
  uint64 = 8,
  duration = 9,  // nanoseconds
  bytes = 10,
  ip = 11,     // 4 or 16 bytes, network order
  cidr = 12,   // address bytes (4 or 16), then one byte of prefix length
  list = 13,   // size() Values
  map = 14,    // size() pairs of Values: key, value, key, value
  error = 15,  // only inside expression evaluation: text says what went wrong
};

class Value {
 public:
  constexpr Value() : i_(0) {}
  static constexpr Value missing() { return Value(); }
  static constexpr Value null() { return Value(Kind::null, 0, 0); }
  static constexpr Value boolean(bool b) { return Value(Kind::boolean, 0, b ? 1 : 0); }
  static constexpr Value int64(std::int64_t i) { return Value(Kind::int64, 0, i); }
  static constexpr Value uint64(std::uint64_t u) {
    return Value(Kind::uint64, 0, static_cast<std::int64_t>(u));
  }
  static constexpr Value float64(double d) {
    Value v(Kind::float64, 0, 0);
    v.d_ = d;
    return v;
  }
  static constexpr Value duration(std::int64_t nanos) { return Value(Kind::duration, 0, nanos); }
  // nanos: 0..999, what the microseconds leave out.
  static constexpr Value timestamp(EventTime t, std::uint32_t nanos = 0) {
    return Value(Kind::timestamp, nanos, t.micros);
  }
  // The text stays where it is; its owner must outlive the value.
  static constexpr Value string(std::string_view s) { return Value(Kind::string, s); }
  static constexpr Value json(std::string_view s) { return Value(Kind::json, s); }
  static constexpr Value bytes(std::string_view s) { return Value(Kind::bytes, s); }
  static constexpr Value ip(std::string_view octets) { return Value(Kind::ip, octets); }
  static constexpr Value cidr(std::string_view octets) { return Value(Kind::cidr, octets); }
  static constexpr Value error(std::string_view text) { return Value(Kind::error, text); }
  static constexpr Value list(const Value* items, std::uint32_t count) {
    Value v(Kind::list, count, 0);
    v.items_ = items;
    return v;
  }
  static constexpr Value map(const Value* pairs, std::uint32_t pair_count) {
    Value v(Kind::map, pair_count, 0);
    v.items_ = pairs;
    return v;
  }

  constexpr Kind kind() const { return static_cast<Kind>(kind_); }
  constexpr bool is(Kind k) const { return kind() == k; }
  constexpr bool absent() const { return kind() <= Kind::null; }  // missing or null
  constexpr std::uint32_t size() const { return size_; }

  // Each accessor requires the matching kind.
  constexpr bool as_bool() const { return i_ != 0; }
  constexpr std::int64_t as_int() const { return i_; }
  constexpr std::uint64_t as_uint() const { return static_cast<std::uint64_t>(i_); }
  constexpr double as_double() const { return d_; }
  constexpr std::int64_t as_duration_nanos() const { return i_; }
  constexpr EventTime as_time() const { return {i_}; }
  // string, json, bytes, ip, cidr, error
  constexpr std::string_view text() const { return {s_, size_}; }
  // list: size() values; map: 2 * size() values
  constexpr const Value* items() const { return items_; }

 private:
  constexpr Value(Kind k, std::uint32_t size, std::int64_t i)
      : kind_(static_cast<std::uint32_t>(k)), size_(size), i_(i) {}
  constexpr Value(Kind k, std::string_view s)
      : kind_(static_cast<std::uint32_t>(k)),
        size_(static_cast<std::uint32_t>(s.size())),
        s_(s.data()) {}

  // A Kind. As wide as its neighbour: with bytes of filling in between GCC would build every value
  // on the stack and copy it from there.
  std::uint32_t kind_ = 0;
  std::uint32_t size_ = 0;
  union {
    std::int64_t i_;
    double d_;
    const char* s_;
    const Value* items_;
  };
};
static_assert(sizeof(Value) == 16 && std::is_trivially_copyable_v<Value>);

// What the planner knows of a field before data flows. `any` = only the record can tell.
enum class Type : std::uint8_t {
  any,
  null,
  boolean,
  int64,
  uint64,
  float64,
  string,
  bytes,
  timestamp,
  duration,
  ip,
  cidr,
  list,
  map,
  json,
};
std::string_view type_name(Type type);  // as in YAML and messages: int, double, bool, string, …
std::string_view kind_name(Kind kind);  // missing, null, bool, int, double, string, …
Type type_of(Kind kind);                // missing and error give any

}  // namespace streamd
