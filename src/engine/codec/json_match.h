// SPDX-License-Identifier: Apache-2.0
// Compares records with the steps of a JsonShape, some records in step. Private to codec/; one
// thread.
#pragma once

#include "engine/codec/decoders.h"
#include "engine/codec/json_shape.h"

#include <cstddef>

namespace streamd {

// Records that are compared at the same time.
inline constexpr std::size_t kMatchedTogether = 4;
// Longer ones are not compared at all.
inline constexpr std::size_t kMaxMatched = std::size_t{1} << 24;

inline bool may_match(const RawRecord& record) {
  return to_decode(record) && !record.data.empty() && record.data.size() <= kMaxMatched;
}

// How many of the records match until one does not. bytes: where theirs stand one after the other,
// or null when they have their own padding; strings in cells[slot], from `row` on, point there. In
// the rows of the kMatchedTogether records behind those that match may be anything.
std::size_t match_records(JsonShapes::Look look, const JsonShape::Steps& steps,
                          const RawRecord* records, std::size_t count, const char* bytes,
                          Value* const* cells, std::size_t row);

}  // namespace streamd
