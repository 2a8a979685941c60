// SPDX-License-Identifier: Apache-2.0
// Streams of syslog messages: the same messages whatever the pieces in which the bytes come. The
// first byte chooses the framing, the second one the size of the pieces.
#include "engine/core/check.h"
#include "sources/syslog/framing.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace streamd::syslog;

constexpr std::size_t kMost = 64;

std::vector<std::string> cut(std::string_view stream, std::size_t piece, Framing framing) {
  FrameCutter cutter(framing, kMost);
  std::vector<std::string> out;
  std::string waiting;
  // Of a message that is too long more or less is shown, as it comes.
  const auto keep = [&](const Frame& frame) {
    STREAMD_CHECK(!frame.text.empty(), "a message has a text");
    STREAMD_CHECK(frame.too_long || frame.text.size() <= kMost + 10, "and is in bounds");
    out.push_back(frame.too_long ? "too-long" : std::string(frame.text));
  };
  while (!stream.empty()) {
    waiting += stream.substr(0, piece);
    stream.remove_prefix(std::min(piece, stream.size()));
    std::string_view data = waiting;
    while (const auto frame = cutter.next(data)) keep(*frame);
    STREAMD_CHECK(data.size() <= kMost + 10, "little is kept");
    STREAMD_CHECK(data.empty() || cutter.inside(), "what is kept is a message that has begun");
    waiting = std::string(data);
  }
  if (const auto frame = cutter.rest(waiting)) keep(*frame);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto framing = static_cast<Framing>(data[0] % 4);
  const std::string_view stream(reinterpret_cast<const char*>(data + 2), size - 2);
  const auto whole = cut(stream, stream.size() + 1, framing);
  STREAMD_CHECK(cut(stream, 1, framing) == whole, "pieces change nothing");
  STREAMD_CHECK(cut(stream, data[1] + std::size_t{1}, framing) == whole, "pieces change nothing");
  return 0;
}
