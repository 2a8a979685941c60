// SPDX-License-Identifier: Apache-2.0
// What an outbox reads back from disk: a body under a checksum that fits, whatever it holds, gives
// an item whose texts lie in it and that makes the same frame again, or is damage; cut short, it
// asks for more; with one byte turned it is never taken for whole.
#include "engine/core/check.h"
#include "engine/core/hash.h"
#include "engine/io/delivery/item.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using streamd::delivery::Frame;
using streamd::delivery::Item;
using streamd::delivery::kFrameHead;

constexpr std::uint64_t kPlace = 4096;

std::string framed(std::string_view body) {
  std::string frame(kFrameHead, '\0');
  const auto size = static_cast<std::uint32_t>(body.size());
  const std::uint64_t sum = streamd::hash_bytes(body, kPlace);
  std::memcpy(frame.data(), &size, sizeof size);
  std::memcpy(frame.data() + sizeof size, &sum, sizeof sum);
  return frame.append(body);
}

bool within(std::string_view whole, std::string_view part) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Item item;
  streamd::delivery::read_frame(input, kPlace, item);

  const std::string frame = framed(input);
  const Frame told = streamd::delivery::read_frame(frame, kPlace, item);
  STREAMD_CHECK(told != Frame::cut && item.end == kPlace + frame.size(), "all of it is there");
  if (told == Frame::whole) {
    for (const auto text :
         {item.id, item.route, item.document, item.node, item.partition, item.raw})
      STREAMD_CHECK(within(frame, text), "a text lies in the frame");
    std::string again;
    streamd::delivery::append_frame(item, kPlace, again);
    STREAMD_CHECK(again == frame, "an item has one frame");
  }

  Item other;
  STREAMD_CHECK(streamd::delivery::read_frame(frame, kPlace + 1, other) == Frame::damaged,
                "a frame belongs where it was written");
  for (const std::size_t cut : {std::size_t{0}, kFrameHead - 1, frame.size() - 1})
    STREAMD_CHECK(streamd::delivery::read_frame(std::string_view(frame).substr(0, cut), kPlace,
                                                other) == Frame::cut,
                  "the rest is asked for");
  if (input.empty()) return 0;
  std::string turned = frame;
  turned[kFrameHead + data[0] % input.size()] ^= 1;
  STREAMD_CHECK(streamd::delivery::read_frame(turned, kPlace, other) == Frame::damaged,
                "a turned bit shows");
  return 0;
}
