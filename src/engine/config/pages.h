// SPDX-License-Identifier: Apache-2.0
// What the pages of the reference have in common. Used by reference.cc and expressions_page.cc.
#pragma once

#include "engine/api/registry.h"

#include <string>
#include <string_view>

namespace streamd {

inline constexpr std::string_view kPageFront =
    "<!-- Written by `streamd docs` from the component's own declaration. -->\n\n";

// In one line, and without what would end a cell.
inline std::string table_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|')
      out += "\\|";
    else
      out += c == '\n' ? ' ' : c;
  }
  return out;
}

// The language of conditions, and its functions with those of plugins.
std::string expressions_page(const Registry& registry);

}  // namespace streamd
