// SPDX-License-Identifier: Apache-2.0
// Counted: how often each value was there, for distinct, top and entropy. One word, made for few
// values: one value is the word itself, some dozens are numbers beside counts in one small block,
// more are a hash table. Values are numbers of a DistinctValues (distinct_values.h).
//
//   0                          nothing
//   ......1                    one value: number in bits 1 to 31, count in bits 32 to 63
//   .....00                    address of a Few
//   .....10                    address of a Many, plus 2
//
// A part holds its values, so that they keep their numbers. A running value does not: what is in it
// is in one of the parts that have entered, so these must outlive their leaving. Used by
// aggregates.cc only. One thread.
//
// On disk: varint n, then n times text, varint count, in any order.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/value.h"
#include "operators/window/distinct_values.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::window {

using Word = std::uint64_t;

// Parts.
void add_counted(Word& part, std::uint32_t number, DistinctValues& values);
inline void add_counted(Word& part, const Value& value, DistinctValues& values) {
  add_counted(part, values.number_of(value), values);
}
void merge_counted(Word& part, Word other, DistinctValues& values);
void free_counted_part(Word& part, DistinctValues& values);
// False: the bytes are none. Then, too, the part has to be freed.
bool decode_counted(std::string_view& in, Word& part, DistinctValues& values);
// Running values.
void add_counted_running(Word& running, std::uint32_t number);  // a part that has entered has it
void enter_counted(Word& running, Word part);
void leave_counted(Word& running, Word part);
void free_counted_running(Word& running);
// Both.
void fetch_counted(Word at, std::uint32_t number);  // what adding this value will touch
std::size_t counted_size(Word at);
Value counted_top(Word at, std::size_t k, const DistinctValues& values, Arena& arena);
Value counted_entropy(Word at);
void encode_counted(Word at, const DistinctValues& values, std::string& out);

}  // namespace streamd::window
