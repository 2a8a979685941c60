// SPDX-License-Identifier: Apache-2.0
// Lines in blocks of bytes: what every source of text lines shares.
#pragma once

#include "engine/api/source.h"
#include "engine/core/block_pool.h"

#include <cstddef>
#include <cstdint>

namespace streamd {

// What a dead letter of a line longer than max_record shows of it.
inline constexpr std::size_t kFaultBytes = 64 * 1024;

// Appends the complete lines of [text, text + size) to `out`, without LF and CR LF, skipping empty
// ones, until `out` has max_records. `base`: position of text[0]. Returns how many bytes were used:
// up to just behind the last LF that was taken.
std::size_t take_lines(const char* text, std::size_t size, std::uint64_t base, EventTime arrival,
                       std::size_t max_records, RawBatch& out);

// One line without its LF: strips a CR, appends it unless it is empty.
void append_line(const char* text, std::size_t size, std::uint64_t position, EventTime arrival,
                 RawBatch& out);

}  // namespace streamd
