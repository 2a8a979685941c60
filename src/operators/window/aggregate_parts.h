// SPDX-License-Identifier: Apache-2.0
// The aggregates that need more than a number: extremes, stamped values (first, last) and sketches
// (quantile); those that count values are in counted.h. Each is one word: a pointer to what it
// owns, 0 when there is nothing. Used by aggregates.cc only; see there for part and running form.
//
// On disk (varint.h): extreme: text of the value, empty = none. Stamped: 0, or 1, signed time,
// varint arrival, text. Sketch: varint n, then n times signed bucket, varint count, ascending.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/value.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::window {

using Word = std::uint64_t;

void add_extreme(Word& part, const Value& value, bool max);
void merge_extreme(Word& part, Word other, bool max);
void enter_extreme(Word& running, Word part);
void leave_extreme(Word& running, Word part);
Value extreme_part_result(Word part, Arena& arena);
Value extreme_running_result(Word running, bool max, Arena& arena);
void encode_extreme(Word part, std::string& out);
bool decode_extreme(std::string_view& in, Word& part);
void free_extreme_part(Word& part);
void free_extreme_running(Word& running);

void add_stamped(Word& part, const Value& value, std::int64_t time, std::uint64_t arrival,
                 bool last);
void merge_stamped(Word& part, Word other, bool last);
void enter_stamped(Word& running, Word part);
void leave_stamped(Word& running, Word part);
Value stamped_part_result(Word part, Arena& arena);
Value stamped_running_result(Word running, bool last, Arena& arena);
void encode_stamped(Word part, std::string& out);
bool decode_stamped(std::string_view& in, Word& part, std::uint64_t& arrival);
void free_stamped_part(Word& part);
void free_stamped_running(Word& running);

void add_sketched(Word& at, const Value& value);
void combine_sketched(Word& at, Word other, int sign);
Value sketched_quantile(Word at, double q);
void encode_sketched(Word at, std::string& out);
bool decode_sketched(std::string_view& in, Word& at);
void free_sketched(Word& at);

}  // namespace streamd::window
