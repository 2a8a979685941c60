// SPDX-License-Identifier: Apache-2.0
// Texts from outside for people: they may hold what a terminal obeys.
#pragma once

#include <string>
#include <string_view>

namespace streamd {

// Control characters become `?`, except those of `stays`.
inline std::string printable(std::string_view text, std::string_view stays = {}) {
  std::string out;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7F;
    out += control && stays.find(c) == std::string_view::npos ? '?' : c;
  }
  return out;
}

}  // namespace streamd
