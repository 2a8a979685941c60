// SPDX-License-Identifier: Apache-2.0
// kNamesFields<T>: whether the fields that leave a node may depend on a setting of type T. When
// such a one can't be read, nobody knows them, and what reads the node is not checked against them.
//
// They do not depend on how much, how long or under which condition; nor on a choice: a component
// that gives other fields by it returns no plan when it can't be read, or more fields by default.
#pragma once

#include "engine/api/field_type.h"

#include <cstdint>
#include <optional>

namespace streamd {

template <class T>
constexpr bool kNamesFields = !requires {
  EnumNames<T>::values;
};
template <class T>
constexpr bool kNamesFields<std::optional<T>> = kNamesFields<T>;
template <>
inline constexpr bool kNamesFields<std::int64_t> = false;
template <>
inline constexpr bool kNamesFields<std::uint64_t> = false;
template <>
inline constexpr bool kNamesFields<double> = false;
template <>
inline constexpr bool kNamesFields<Duration> = false;
template <>
inline constexpr bool kNamesFields<ByteSize> = false;
template <>
inline constexpr bool kNamesFields<ExprText> = false;
template <>
inline constexpr bool kNamesFields<TemplateText> = false;

}  // namespace streamd
