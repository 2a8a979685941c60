// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/utf8.h"

namespace streamd {
namespace {

// Length of the valid sequence at the beginning of text, 0 when it is bad. `bad` is then the
// number of bytes that one replacement character stands for (maximal subpart, as Unicode advises).
std::size_t sequence(std::string_view text, std::size_t& bad) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  bad = 1;
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    bad = i;
    if (i >= text.size()) return 0;
    const unsigned char from = i == 1 ? low : 0x80, to = i == 1 ? high : 0xBF;
    if (byte(i) < from || byte(i) > to) return 0;
  }
  return length;
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t bad = 0;
    const std::size_t length = sequence(text.substr(at), bad);
    if (length == 0) break;
    at += length;
  }
  return at;
}

void append_repaired_utf8(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::size_t good = valid_utf8_prefix(text);
    out += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) return;
    std::size_t bad = 0;
    sequence(text, bad);
    out += "\xEF\xBF\xBD";
    text.remove_prefix(bad);
  }
}

}  // namespace streamd
