// SPDX-License-Identifier: Apache-2.0
// BSON as bytes (bsonspec.org), appended to a text. A value's type stands before its key, so it is
// filled in when the value is known. Private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace streamd::mongo {

enum class Bson : char {
  float64 = 0x01,
  string = 0x02,
  document = 0x03,
  array = 0x04,
  boolean = 0x08,
  date = 0x09,
  null = 0x0A,
  int64 = 0x12,
};

template <class T>
void append_little_endian(T value, std::string& out) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

// Documents and texts begin with their length: open_length(), the content, close_length().
inline std::size_t open_length(std::string& out) {
  const std::size_t at = out.size();
  out.append(4, '\0');
  return at;
}
inline void put_length(std::size_t at, std::size_t length, std::string& out) {
  const auto value = static_cast<std::int32_t>(length);
  std::memcpy(out.data() + at, &value, sizeof value);
}
// The length of a document counts itself and the closing zero.
inline void close_document(std::size_t at, std::string& out) {
  out.push_back('\0');
  put_length(at, out.size() - at, out);
}
// That of a text counts the closing zero only.
inline void close_text(std::size_t at, std::string& out) {
  out.push_back('\0');
  put_length(at, out.size() - at - 4, out);
}
inline void append_text(std::string_view text, std::string& out) {
  const std::size_t at = open_length(out);
  out += text;
  close_text(at, out);
}

}  // namespace streamd::mongo
