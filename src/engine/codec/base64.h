// SPDX-License-Identifier: Apache-2.0
// Base64 of RFC 4648 section 4, as JSON writes bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// nullopt: a character outside the alphabet, or a length that is no base64.
std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);  // with padding, without line ends

}  // namespace streamd
