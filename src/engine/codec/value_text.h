// SPDX-License-Identifier: Apache-2.0
// Values as plain text, for keys of JSON objects and for CSV. Private to codec/.
#pragma once

#include "engine/codec/encode.h"

#include <string>

namespace streamd {

// As append_json, but without quotes and escapes around texts; nothing for missing and null.
void append_text(const Value& value, std::string& out, TimeStyle style);

}  // namespace streamd
