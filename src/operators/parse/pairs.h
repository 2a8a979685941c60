// SPDX-License-Identifier: Apache-2.0
// Keys with values as values of a record, and the headers that stand before them. Of equal keys the
// last one counts. Private to the folder.
#pragma once

#include "engine/codec/text_pairs.h"
#include "engine/core/value.h"
#include "operators/parse/config.h"

#include <span>
#include <string>
#include <vector>

namespace streamd::parse {

// What the parts of an event's header are called, in their order; empty: the format has none.
std::span<const char* const> header_parts(FormatKind format);
// A map in the order of the pairs; it lives in the arena.
Value object_of(const TextPairs& pairs, Arena& arena);
// values: one for each key; those whose key is not there stay as they are.
void pick(const TextPairs& pairs, const std::vector<std::string>& keys, Value* values);

}  // namespace streamd::parse
