// SPDX-License-Identifier: Apache-2.0
// Whether the last label of a name makes it plausible that it is a domain. Private to codec/.
#pragma once

#include <string_view>

namespace streamd {

// In small letters. Every country's, the generic ones that are in wide use, those of internal and
// special use (arpa, example, internal, invalid, local, onion, test), and every xn--.
bool is_top_level_domain(std::string_view label);
// Also a usual ending of file names: py, sh, zip, …
bool looks_like_file_ending(std::string_view label);

}  // namespace streamd
