// SPDX-License-Identifier: Apache-2.0
// `time_format` of every sink that writes text.
#pragma once

#include "engine/api/field_type.h"
#include "engine/codec/encode.h"

#include <array>
#include <string_view>
#include <utility>

namespace streamd {

template <>
struct EnumNames<TimeStyle> {
  static constexpr std::array<std::pair<TimeStyle, std::string_view>, 2> values = {
      {{TimeStyle::rfc3339, "rfc3339"}, {TimeStyle::unix, "unix"}}};
};

}  // namespace streamd
