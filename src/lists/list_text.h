// SPDX-License-Identifier: Apache-2.0
// The text of a list as it came from a file or a server.
#pragma once

#include "engine/core/error.h"

#include <cstdint>
#include <string>

namespace streamd {

// Unpacked when it is gzip. Error: broken gzip, longer than `limit` bytes, an archive, or bytes
// that are no text.
Result<std::string> plain_list_text(std::string text, std::uint64_t limit);

}  // namespace streamd
