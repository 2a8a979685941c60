// SPDX-License-Identifier: Apache-2.0
// Lines: LF ends one, a CR before it is not part of it.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

namespace streamd {

inline std::string_view without_cr(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// Calls each(line, offset, next): the line without its end, where it begins in `block`, and where
// the next one begins. Returns the bytes taken; what follows is the beginning of a line.
template <class Each>
std::size_t for_each_line(std::string_view block, Each&& each) {
  std::size_t at = 0;
  while (at < block.size()) {
    const void* end = std::memchr(block.data() + at, '\n', block.size() - at);
    if (end == nullptr) break;
    const auto length = static_cast<std::size_t>(static_cast<const char*>(end) - block.data()) - at;
    each(without_cr(block.substr(at, length)), at, at + length + 1);
    at += length + 1;
  }
  return at;
}

// Appends the complete lines of `block`, as slices of it; returns the bytes taken.
inline std::size_t split_lines(std::string_view block, std::vector<std::string_view>& lines) {
  return for_each_line(
      block, [&](std::string_view line, std::size_t, std::size_t) { lines.push_back(line); });
}

}  // namespace streamd
