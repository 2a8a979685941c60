// SPDX-License-Identifier: Apache-2.0
// Kafka's primitive types as bytes: numbers are big endian, texts have their length before them,
// varints are zigzag with seven bits a byte ("Protocol Primitive Types" in Kafka's protocol guide).
// Included only in this folder.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace streamd::kafka {

template <class T>
T from_big_endian(const char* at) {
  std::make_unsigned_t<T> value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) {
    if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
  }
  return static_cast<T>(value);
}

// Reads from bytes that somebody else keeps. Whatever is asked for beyond their end is 0 or empty,
// and cut() tells so from then on.
class WireReader {
 public:
  explicit WireReader(std::string_view in = {}) : in_(in) {}

  template <class T>
  T number() {
    if (in_.size() < sizeof(T)) return stop<T>();
    const T value = from_big_endian<T>(in_.data());
    in_.remove_prefix(sizeof(T));
    return value;
  }
  std::int64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) return stop<std::int64_t>();
      const auto byte = static_cast<unsigned char>(in_.front());
      in_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128)
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    return stop<std::int64_t>();
  }
  // A negative size is beyond the end, too.
  std::string_view take(std::int64_t size) {
    if (size < 0 || static_cast<std::uint64_t>(size) > in_.size()) return stop<std::string_view>();
    const auto part = in_.substr(0, static_cast<std::size_t>(size));
    in_.remove_prefix(part.size());
    return part;
  }
  std::string_view text() { return take(number<std::int16_t>()); }
  std::string_view rest() const { return in_; }
  bool cut() const { return cut_; }

 private:
  template <class T>
  T stop() {
    cut_ = true;
    in_ = {};
    return T{};
  }

  std::string_view in_;
  bool cut_ = false;
};

// Appends to a text.
class WireWriter {
 public:
  explicit WireWriter(std::string& out) : out_(out) {}

  template <class T>
  void number(T value) {
    for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
      out_.push_back(static_cast<char>(static_cast<std::make_unsigned_t<T>>(value) >> shift));
  }
  void text(std::string_view value) {
    number(static_cast<std::int16_t>(value.size()));
    out_ += value;
  }
  // Overwrites a number that was written before.
  void number_at(std::size_t at, std::int32_t value) {
    for (int i = 0; i < 4; ++i)
      out_[at + static_cast<std::size_t>(i)] =
          static_cast<char>(static_cast<std::uint32_t>(value) >> (24 - 8 * i));
  }
  std::size_t size() const { return out_.size(); }

 private:
  std::string& out_;
};

}  // namespace streamd::kafka
