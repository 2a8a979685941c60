// SPDX-License-Identifier: Apache-2.0
// The rows of a window node on disk, as sub keys under a key group. Values are on disk: never
// renumber. Scalars as in varint.h; every value starts with the byte kRowVersion.
//
// Rows w and p are of all groups of the worker that wrote them and lie under its first one, so that
// a checkpoint costs few rows; the others lie under the group of their keys. Every worker reads all
// rows and takes what is of its own groups. Rows that another number of workers wrote are replaced
// at the first checkpoint: each is erased by the worker that now owns the group under which it
// lies, its cells are written by the workers that own their keys. All do so in the same epoch.
//
//   w                          watermark_row.h: varint n, then n times
//                              varint first group, varint groups, signed watermark
//   p <start, 8> <number, 4>   cells of one pane: varint n, then n times
//                              text key, varint records, aggregates (aggregates.h). Absolute
//                              values: a later row (higher number) replaces what earlier rows say
//                              of a key; 0 records = the key has left, and no aggregates follow
//   a <key>                    emit threshold: signed end of the window that fired
//   d                          records that wait: varint n, then n times
//                              signed boundary, signed time, varint number, text key, text inputs
//   s <key>                    sessions: varint n, then n times signed start, signed last,
//                              varint records, byte fired, aggregates
#pragma once

#include "engine/core/error.h"
#include "operators/window/varint.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::window {

inline constexpr char kRowVersion = 2;

// `value` is not empty.
inline Status check_row_version(std::string_view value) {
  if (value.front() == kRowVersion) return {};
  return fail(ErrorKind::state, "the state of a window has an unknown version",
              value.front() > kRowVersion
                  ? "It was written by a newer streamd: start that version."
                  : "It was written by an older streamd: start that version, or start anew.");
}

inline void append_pane_row_key(std::int64_t start, std::uint32_t number, std::string& out) {
  out.push_back('p');
  put_ordered(out, start);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

}  // namespace streamd::window
