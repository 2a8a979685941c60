// SPDX-License-Identifier: Apache-2.0
// The closed list of reasons for which a record leaves a node other than through `out`. For every
// node: in = out + the sum of these + dead letters (for windows, "out" counts records taken in).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace streamd {

enum class DropReason : std::uint8_t { filtered, late, duplicate, throttled, shed, expired };
inline constexpr std::size_t kDropReasons = 6;
inline constexpr std::array<std::string_view, kDropReasons> kDropReasonNames = {
    "filtered", "late", "duplicate", "throttled", "shed", "expired"};

}  // namespace streamd
