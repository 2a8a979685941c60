// SPDX-License-Identifier: Apache-2.0
// Signatures of request bodies, as webhooks expect them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace streamd::http {

// HMAC-SHA256 (RFC 2104) as 64 small hexadecimal digits.
std::string hmac_sha256(std::string_view key, std::string_view text);

}  // namespace streamd::http
