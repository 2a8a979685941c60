// SPDX-License-Identifier: Apache-2.0
// What the engine looks at in values that a plugin hands over.
#pragma once

#include "../value.hpp"

namespace sd::test::detail {

inline bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead >= 0x80 && (lead < 0xC2 || lead > 0xF4)) return false;
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    i += more + 1;
  }
  return true;
}

// Empty: it is a value of the kind that was declared. Else what follows its name: " has kind 20".
inline std::string wrong_with(const sd_value& value, std::uint32_t declared) {
  const std::string kind = " has kind " + std::to_string(value.kind);
  if (value.kind > SD_MAP) return kind + ", which there is not";
  if (declared != SD_ANY && value.kind != declared && value.kind != SD_NULL &&
      value.kind != SD_MISSING)
    return kind + ", but " + std::to_string(declared) + " is declared";
  if (value.kind == SD_STRING && value.size > 0 && !is_utf8({value.as.s, value.size}))
    return " is a text that is not UTF-8";
  return {};
}

}  // namespace sd::test::detail
