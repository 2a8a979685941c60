// SPDX-License-Identifier: Apache-2.0
// Scalars of JSON text. Private to codec/.
#pragma once

#include "engine/core/value.h"

#include <cstddef>
#include <string_view>

namespace streamd {

constexpr bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Checks the grammar of a number; fills `value` when given.
bool read_json_number(std::string_view text, Value* value);
// Between the quotes, valid UTF-8. `to` has room for text.size() bytes. False: a bad escape.
// Lone surrogates (\ud800) become U+FFFD.
bool unescape_json(std::string_view text, char* to, std::size_t& size);
// Whether all escapes between the quotes are good. `bad_at`: offset of the first bad one.
bool check_json_escapes(std::string_view text, std::size_t& bad_at);

}  // namespace streamd
