// SPDX-License-Identifier: Apache-2.0
// Conversions between types: kernels of int(), uint(), double(), string(), bytes(), bool(),
// timestamp(), duration(), type(). Internal to expr.
#pragma once

#include "engine/core/value.h"

#include <string_view>

namespace streamd::expr {

struct Call;
Value to_int(const Call& call);
Value to_uint(const Call& call);
Value to_double(const Call& call);
Value to_string(const Call& call);
Value to_bytes(const Call& call);
Value to_bool(const Call& call);
Value to_timestamp(const Call& call);
Value to_duration(const Call& call);
Value type_of_value(const Call& call);

// The standard's names of types, as type() gives them; empty when `name` is none.
std::string_view known_type_name(std::string_view name);
bool valid_utf8(std::string_view text);

}  // namespace streamd::expr
