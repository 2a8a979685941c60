// SPDX-License-Identifier: Apache-2.0
// Item: one record on its way to a slow far side, as it lies in an outbox (outbox.h), and its
// frame:
//
//   u32 size of the body · u64 checksum of the body, seeded by the frame's place · body
//
// The checksum tells a flipped byte, and a frame that stands where another one belongs. Numbers are
// little-endian. Pure functions, any thread.
#pragma once

#include "engine/core/time.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace streamd::delivery {

// Texts are views: into `chunk` when the item was read from an outbox, else into what the writer
// of the item owns.
struct Item {
  std::string_view id;        // deterministic: the same after a restart and in every retry
  std::string_view route;     // what the protocol needs besides the document: an index, a thread
  std::string_view document;  // what is sent
  // Where the record comes from, for a dead letter.
  std::string_view node, partition;
  std::uint64_t position = 0;
  EventTime time = EventTime::min();
  std::string_view raw;  // the record's own bytes where the document is not the same; else empty

  // Set by the outbox that it was read from.
  std::uint64_t begin = 0, end = 0;  // of its frame, in bytes since the outbox was made
  std::shared_ptr<const std::string> chunk;
};

inline constexpr std::size_t kFrameHead = 12;

// Appends the frame of an item that will begin at `begin`.
void append_frame(const Item& item, std::uint64_t begin, std::string& out);

enum class Frame { whole, cut, damaged };

// Reads the frame at the start of `bytes`, which stands at `begin`. cut: more bytes are needed, as
// many as `item.end - begin` in all once the size is known. The texts are views into `bytes`.
Frame read_frame(std::string_view bytes, std::uint64_t begin, Item& item);

// The same item with a chunk of its own.
Item own_copy(const Item& item);

}  // namespace streamd::delivery
