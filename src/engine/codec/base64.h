// SPDX-License-Identifier: Apache-2.0
// Base64 of RFC 4648 section 4, as JSON writes bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// nullopt: a character outside the alphabet, or a length that is no base64.
std::optional<std::string> base64_decode(std::string_view text);
// With padding, without line ends.
void append_base64(std::string_view bytes, std::string& out);
std::string base64_encode(std::string_view bytes);

}  // namespace streamd
