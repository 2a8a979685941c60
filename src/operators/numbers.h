// SPDX-License-Identifier: Apache-2.0
// A value as a number to compute with.
#pragma once

#include "engine/core/value.h"

#include <optional>

namespace streamd {

// nullopt: it is none. Texts are never taken for numbers; integers beyond 2^53 are rounded.
inline std::optional<double> number_of(const Value& value) {
  switch (value.kind()) {
    case Kind::float64: return value.as_double();
    case Kind::int64: return static_cast<double>(value.as_int());
    case Kind::uint64: return static_cast<double>(value.as_uint());
    default: return std::nullopt;
  }
}

}  // namespace streamd
