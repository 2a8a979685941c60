// SPDX-License-Identifier: Apache-2.0
// fetch_line(): asks for a line of memory that will be needed soon.
#pragma once

namespace streamd {

// Any address may be given. GCC takes a function that only prefetches for one without effect and
// leaves its calls out, unless it was inlined early enough; the empty asm is an effect to it.
inline void fetch_line(const void* at) {
  __builtin_prefetch(at);
  asm volatile("");
}

}  // namespace streamd
