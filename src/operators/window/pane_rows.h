// SPDX-License-Identifier: Apache-2.0
// The rows of a window node on disk, as sub keys under a key group. Values are on disk: never
// renumber. Scalars as in varint.h; every value starts with the byte kRowVersion.
//
//   w                          signed watermark
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

#include "operators/window/varint.h"

#include <cstdint>
#include <string>

namespace streamd::window {

inline constexpr char kRowVersion = 1;

inline void append_pane_row_key(std::int64_t start, std::uint32_t number, std::string& out) {
  out.push_back('p');
  put_ordered(out, start);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

}  // namespace streamd::window
