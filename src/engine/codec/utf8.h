// SPDX-License-Identifier: Apache-2.0
// UTF-8 as in RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace streamd {

// Vectorised.
bool is_utf8(std::string_view text);
// Length of the longest valid beginning: where the first bad byte is. Byte by byte.
std::size_t valid_utf8_prefix(std::string_view text);
// Appends `text` with each bad sequence replaced by U+FFFD (at most three times as long).
void append_repaired_utf8(std::string_view text, std::string& out);

}  // namespace streamd
