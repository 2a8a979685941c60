// SPDX-License-Identifier: Apache-2.0
// GzipReader: what a gzip stream holds, member after member, in constant memory. One thread.
// gzip(): the way back, for a text that is there as a whole.
#pragma once

#include "engine/core/error.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace streamd {

class GzipReader {
 public:
  // Reads up to `capacity` compressed bytes; 0 = no more for now.
  using Input = std::function<Result<std::size_t>(char* to, std::size_t capacity)>;
  // deflate: HTTP's name for one zlib stream; that without its header, which some servers send, is
  // taken as well.
  enum class Format : std::uint8_t { gzip, deflate };
  explicit GzipReader(Input input, Format format = Format::gzip);
  ~GzipReader();
  GzipReader(GzipReader&&) noexcept;
  GzipReader& operator=(GzipReader&&) noexcept;

  // Up to `capacity` (> 0) decompressed bytes; 0 = end, between two members. Errors of kind data:
  // "truncated gzip" when the input ends inside a member: it may be still being written, and read()
  // may be called again once there is more. "corrupted gzip: …" is final. Input's own errors are
  // passed on and may be retried. Zero bytes behind a member are padding.
  Result<std::size_t> read(char* to, std::size_t capacity);
  std::uint64_t produced() const;  // decompressed bytes handed out so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// `text` as one gzip member, appended to `out`. level: 1 (fast) to 9 (small).
void append_gzip(std::string_view text, int level, std::string& out);

// Whether the bytes begin like a gzip member.
bool looks_like_gzip(const char* data, std::size_t size);

}  // namespace streamd
