// SPDX-License-Identifier: Apache-2.0
// The rows of a window node on disk, as sub keys under a key group. Values are on disk: never
// renumber. Scalars as in varint.h; every value starts with the byte kRowVersion.
//
// Rows w, k and p are of all groups of the worker that wrote them and lie under its first one, so
// that a checkpoint costs few rows; the others lie under the group of their keys. Every worker
// reads all rows and takes what is of its own groups. Rows that another number of workers wrote are
// replaced at the first checkpoint: each is erased by the worker that now owns the group under
// which it lies, its keys and cells are written by the workers that own them. All do so in the same
// epoch.
//
//   w                          watermark_row.h: varint n, then n times
//                              varint first group, varint groups, signed watermark
//   k <number, 4>              keys: n (4 bytes little endian), then n times
//                              varint id, varint (1 + bytes of the key), key; 0 instead of the
//                              size: the id is free. In the order of the numbers they say which
//                              key each id in the rows p under the same group means
//   p <start, 8> <number, 4>   cells of one pane: n (4 bytes little endian), then n times
//                              signed (id - id of the cell before, or 0), varint records,
//                              aggregates (aggregates.h). Absolute values: a later row (higher
//                              number) replaces what earlier rows say of an id; 0 records = its
//                              key has left, and no aggregates follow
//   a <key>                    emit threshold: signed end of the window that fired
//   d                          records that wait: varint n, then n times
//                              signed boundary, signed time, varint number, text key, text inputs
//   s <key>                    sessions: varint n, then n times signed start, signed last,
//                              varint records, byte fired, aggregates
#pragma once

#include "engine/core/error.h"
#include "operators/window/varint.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::window {

inline constexpr char kRowVersion = 3;
// So large is a row before the next one begins, and a little more may be added to it.
inline constexpr std::size_t kRowBytes = 255 * 1024;
inline constexpr std::size_t kRowRoom = 256 * 1024;
inline constexpr std::uint32_t kMaxRows = 1u << 31;

// `value` is not empty.
inline Status check_row_version(std::string_view value) {
  if (value.front() == kRowVersion) return {};
  return fail(ErrorKind::state, "the state of a window has an unknown version",
              value.front() > kRowVersion
                  ? "It was written by a newer streamd: start that version."
                  : "It was written by an older streamd: start that version, or start anew.");
}

// A row of many entries (k, p, and those of key_states.h) that grows.
struct RowBytes {
  explicit RowBytes(char version = kRowVersion) : bytes{version, 0, 0, 0, 0} {}

  std::string bytes;
  std::uint32_t count = 0;  // entries
  std::int64_t last = 0;    // id in the last one

  bool is_full() const { return bytes.size() >= kRowBytes; }
  // Call before an entry. Of a row that grows large half would be empty if it grew by doubling.
  void count_entry() {
    ++count;
    if (bytes.size() > kRowRoom / 16) bytes.reserve(kRowRoom);
  }
  // The row with its count.
  std::string value() && {
    for (unsigned i = 0; i < 4; ++i) bytes[1 + i] = static_cast<char>(count >> (8 * i));
    return std::move(bytes);
  }
};
// The count of a row, whose version is taken off already.
inline bool take_row_count(std::string_view& in, std::uint32_t& count) {
  if (in.size() < 4) return false;
  count = 0;
  for (unsigned i = 4; i-- > 0;) count = (count << 8) | static_cast<unsigned char>(in[i]);
  in.remove_prefix(4);
  return true;
}

inline void put_row_number(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}
// The whole of `in`.
inline bool take_row_number(std::string_view in, std::uint32_t& number) {
  number = 0;
  for (const char c : in) number = (number << 8) | static_cast<unsigned char>(c);
  return in.size() == 4 && number < kMaxRows;
}
inline std::string pane_row_key(std::int64_t start, std::uint32_t number) {
  std::string key(1, 'p');
  put_ordered(key, start);
  put_row_number(key, number);
  return key;
}
inline std::string key_row_key(std::uint32_t number) {
  std::string key(1, 'k');
  put_row_number(key, number);
  return key;
}

}  // namespace streamd::window
