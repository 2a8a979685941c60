// SPDX-License-Identifier: Apache-2.0
#include "sources/line_block.h"

#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace streamd {

void append_line(const char* text, std::size_t size, std::uint64_t position, EventTime arrival,
                 RawBatch& out) {
  if (size > 0 && text[size - 1] == '\r') --size;
  if (size == 0) return;
  RawRecord& record = out.records.emplace_back();
  record.data = {text, size};
  record.position = position;
  record.arrival = arrival;
}

#ifdef __SSE2__
namespace {

// A bit for each LF in 64 bytes.
std::uint64_t line_ends(const char* text) {
  const __m128i end = _mm_set1_epi8('\n');
  std::uint64_t ends = 0;
  for (int i = 0; i < 4; ++i) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 16 * i));
    ends |= static_cast<std::uint64_t>(
                static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, end))))
            << 16 * i;
  }
  return ends;
}

}  // namespace
#endif

std::size_t take_lines(const char* text, std::size_t size, std::uint64_t base, EventTime arrival,
                       std::size_t max_records, RawBatch& out) {
  std::size_t at = 0;
  const auto take = [&](std::size_t end) {
    append_line(text + at, end - at, base + at, arrival, out);
    at = end + 1;
  };
  std::size_t seen = 0;  // there is no LF between `at` and here
#ifdef __SSE2__
  for (; seen + 64 <= size; seen += 64) {
    for (std::uint64_t ends = line_ends(text + seen); ends != 0; ends &= ends - 1) {
      if (out.records.size() >= max_records) return at;
      take(seen + static_cast<unsigned>(std::countr_zero(ends)));
    }
  }
#endif
  while (seen < size && out.records.size() < max_records) {
    const void* found = std::memchr(text + seen, '\n', size - seen);
    if (found == nullptr) break;
    take(static_cast<std::size_t>(static_cast<const char*>(found) - text));
    seen = at;
  }
  return at;
}

}  // namespace streamd
