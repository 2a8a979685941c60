// SPDX-License-Identifier: Apache-2.0
// Strict JSON text to a Value, for the inside of Kind::json values. Used when an expression looks
// into a list or map; records themselves are decoded by codec/.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/value.h"

#include <string_view>

namespace streamd::expr {

// Objects become maps, arrays lists, integral numbers int (uint above 2^63, double above 2^64).
// Texts without escapes point into `text`. Of a repeated key the last one counts.
// Kind::error: no JSON, or nested deeper than 100.
Value read_json(std::string_view text, Arena& arena);

// The value of a key; missing when it is no map or has no such key.
Value member(const Value& map, std::string_view key);
// The value at a dotted path: "owner.name", "tags.0" (numbers for elements of lists, from 0). A
// whole name as a key of a map counts first. Missing when there is none.
Value at_path(const Value& root, std::string_view path);

}  // namespace streamd::expr
