// SPDX-License-Identifier: Apache-2.0
#include "engine/match/indicator.h"

#include "engine/match/domain_labels.h"

namespace streamd {
namespace {

bool is_domain_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::string_view domain_key(std::string_view text) { return trimmed_domain(text); }

bool is_domain(std::string_view key) {
  if (key.empty() || key.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : key) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    if (!is_domain_byte(c) || ++label > 63) return false;
  }
  return label > 0;
}

}  // namespace streamd
