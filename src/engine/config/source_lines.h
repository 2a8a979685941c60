// SPDX-License-Identifier: Apache-2.0
// The lines of a source file, and the little that is needed of UTF-8 to point into them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace streamd {

// Borrows the text.
class SourceLines {
 public:
  explicit SourceLines(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark)
      text.remove_prefix(kByteOrderMark.size());
    while (true) {
      const std::size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      lines_.push_back(line);
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }
  // 1-based, without line end; empty when there is no such line.
  std::string_view line(std::uint32_t number) const {
    return number >= 1 && number <= lines_.size() ? lines_[number - 1] : std::string_view{};
  }

 private:
  std::vector<std::string_view> lines_;
};

// Offset of the first byte that is not part of well-formed UTF-8, or is NUL.
inline std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char lead = at(i);
    std::size_t more = 0;
    unsigned char low = 0x80, high = 0xBF;  // bounds of the second byte
    if (lead == 0) return i;
    if (lead >= 0xC2 && lead <= 0xDF)
      more = 1;
    else if (lead >= 0xE0 && lead <= 0xEF)
      more = 2;
    else if (lead >= 0xF0 && lead <= 0xF4)
      more = 3;
    else if (lead >= 0x80)
      return i;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (std::size_t k = 1; k <= more; ++k) {
      if (i + k >= text.size() || at(i + k) < low || at(i + k) > high) return i;
      low = 0x80;
      high = 0xBF;
    }
    i += more + 1;
  }
  return std::nullopt;
}

}  // namespace streamd
