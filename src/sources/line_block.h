// SPDX-License-Identifier: Apache-2.0
// Blocks of bytes and the lines in them: what every source of text lines shares.
#pragma once

#include "engine/api/source.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace streamd {

inline constexpr std::size_t kBlockBytes = 256 * 1024;
inline constexpr std::size_t kBlockPadding = 64;
// What a dead letter of a line longer than max_record shows of it.
inline constexpr std::size_t kFaultBytes = 64 * 1024;

// Lends blocks of kBlockBytes (+ padding). A block comes back when the last batch that keeps it is
// gone, on any thread; the pool may be gone by then.
class BlockPool {
 public:
  // Uninitialised; at least `bytes` + kBlockPadding. Larger ones than kBlockBytes are not kept.
  std::shared_ptr<char[]> take(std::size_t bytes = kBlockBytes);

 private:
  struct Free {
    std::mutex mutex;
    std::vector<std::unique_ptr<char[]>> blocks;
  };
  std::shared_ptr<Free> free_ = std::make_shared<Free>();
};

// Appends the complete lines of [text, text + size) to `out`, without LF and CR LF, skipping empty
// ones, until `out` has max_records. `base`: position of text[0]. Returns how many bytes were used:
// up to just behind the last LF that was taken.
std::size_t take_lines(const char* text, std::size_t size, std::uint64_t base, EventTime arrival,
                       std::size_t max_records, RawBatch& out);

// One line without its LF: strips a CR, appends it unless it is empty.
void append_line(const char* text, std::size_t size, std::uint64_t position, EventTime arrival,
                 RawBatch& out);

}  // namespace streamd
