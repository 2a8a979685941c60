// SPDX-License-Identifier: Apache-2.0
// Conversion of one value to a declared type, strictly: no blanks around, no rounding, no guessing.
#pragma once

#include "engine/codec/time_format.h"
#include "engine/core/arena.h"
#include "engine/core/value.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace streamd {

enum class ConvertType : std::uint8_t { int64, float64, boolean, string, timestamp, ip };
Type type_of(ConvertType type);

// int: text of an optional minus and digits; a double without fraction; 0 or 1 for a bool.
std::optional<Value> to_int(const Value& value);
// double: decimal text, also 1e3; ints. Never NaN or infinity.
std::optional<Value> to_double(const Value& value);
// bool: true, false, 1, 0 as text or int.
std::optional<Value> to_bool(const Value& value);
// string: any value as templates print it. The text lives in the arena unless it was text.
std::optional<Value> to_text(const Value& value, Arena& arena);
// timestamp: by format; timestamps as they are.
std::optional<Value> to_timestamp(const Value& value, const TimeFormat& format);
// ip: the usual text of an IPv4 or IPv6 address. The bytes live in the arena.
std::optional<Value> to_ip(const Value& value, Arena& arena);

}  // namespace streamd
