// SPDX-License-Identifier: Apache-2.0
// How many files and sockets the process may have open at a time (ulimit -n). Any thread.
#pragma once

#include <cstdint>

namespace streamd {

std::uint64_t descriptor_limit();

// Raises it as far as the process may by itself, and returns it.
std::uint64_t raise_descriptor_limit();

}  // namespace streamd
