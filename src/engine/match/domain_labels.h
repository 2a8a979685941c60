// SPDX-License-Identifier: Apache-2.0
// DomainLabels: a domain in small letters, cut at its dots. On the stack. Private to match/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace streamd {

inline char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Whether `text` is `lower` but for the case of ASCII letters.
inline bool equals_lowered(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lowered(text[i]) != lower[i]) return false;
  return true;
}

inline std::uint32_t label_count_bit(std::size_t labels) {
  return 1u << (labels < 31 ? labels : 31);
}

class DomainLabels {
 public:
  // `key`: see domain_key(). False: cannot be a domain.
  bool read(std::string_view key) {
    size_ = key.size();
    count_ = 0;
    if (key.empty() || key.size() > kLongest) return false;
    starts_[count_++] = 0;
    for (std::size_t i = 0; i < key.size(); ++i) {
      const char c = key[i];
      if (c <= ' ' && c >= 0) return false;
      if (c == '/' || c == ':' || c == '@') return false;
      text_[i] = lowered(c);
      if (c != '.') continue;
      if (i + 1 == key.size() || starts_[count_ - 1] == i) return false;
      starts_[count_++] = static_cast<std::uint8_t>(i + 1);
    }
    return true;
  }
  std::size_t count() const { return count_; }
  // The last `labels` of them.
  std::string_view last(std::size_t labels) const {
    const std::size_t from = starts_[count_ - labels];
    return {text_.data() + from, size_ - from};
  }

 private:
  static constexpr std::size_t kLongest = 253;
  std::array<char, kLongest> text_;
  std::array<std::uint8_t, kLongest / 2 + 2> starts_;
  std::size_t size_ = 0, count_ = 0;
};

}  // namespace streamd
