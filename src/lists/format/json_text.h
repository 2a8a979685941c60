// SPDX-License-Identifier: Apache-2.0
// JSON of a feed: one document, or one a line. Private to format/.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/error.h"
#include "engine/core/value.h"

#include <string>
#include <string_view>

namespace streamd::format {

// All of it; a text of one document a line becomes a list of them. Lines that are broken are left
// missing. Error: no JSON, or cut off.
Result<Value> read_json_text(std::string_view text, Arena& arena);

// A text, number or truth as text; of a list, its elements with commas between them. Empty: nothing
// of that.
std::string text_of_json(const Value& value);

}  // namespace streamd::format
