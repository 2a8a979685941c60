// SPDX-License-Identifier: Apache-2.0
// The order in which the results of one window leave: by the bytes of their keys, so that it does
// not depend on the order of arrival.
#pragma once

#include "operators/window/key_table.h"

#include <cstdint>
#include <span>

namespace streamd::window {

// Sorts ids of live keys. Besides, it takes 12 bytes for each while it runs.
void sort_by_key(std::span<std::uint32_t> ids, const KeyTable& keys);

}  // namespace streamd::window
