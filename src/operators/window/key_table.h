// SPDX-License-Identifier: Apache-2.0
// KeyTable: the live keys of one window on one worker. Each has a dense id, which panes and alerts
// use, and an Entry. One segment per key group grows on its own, so no insertion rehashes all keys.
// A slot is (tag, id); the bytes of longer keys live in slabs and are reused when a key is removed.
// One thread.
#pragma once

#include "engine/core/hash.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace streamd::window {

// One cache line. Short keys live in it.
struct alignas(64) Entry {
  static constexpr std::size_t kShort = 24;

  const char* key = nullptr;  // null: the id is free
  std::uint32_t key_size = 0;
  std::uint16_t group = 0;
  std::uint16_t flags = 0;
  std::uint64_t held = 0;      // records in all panes that are still kept
  std::int64_t newest = 0;     // start of the newest pane that has a record of this key
  std::uint32_t hint[2] = {};  // where its cell probably is, in panes of even and odd number
  char bytes_here[kShort] = {};

  std::string_view bytes() const { return {key, key_size}; }
};
static_assert(sizeof(Entry) == 64);

class KeyTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  KeyTable() : segments_(kKeyGroups) {}
  ~KeyTable();
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  std::size_t size() const { return live_; }
  // Ids are below this.
  std::uint32_t limit() const { return limit_; }

  // hash: of the key, with the seed of the node.
  std::uint32_t find(std::string_view key, std::uint64_t hash) const;
  std::uint32_t insert(std::string_view key, std::uint64_t hash);  // the key must be absent
  void remove(std::uint32_t id, std::uint64_t hash);

  Entry& entry(std::uint32_t id) { return blocks_[id >> kBlockBits][id & kBlockMask]; }
  const Entry& entry(std::uint32_t id) const { return blocks_[id >> kBlockBits][id & kBlockMask]; }

  // Three steps that fetch what find() will touch; the second and third need the one before.
  void prefetch_slot(std::uint64_t hash) const;
  std::uint32_t guess(std::uint64_t hash) const;  // probably the id, or kNone; prefetches its entry
  // Whether a guess, however old, is the id of this key.
  bool is(std::uint32_t id, std::string_view key) const {
    if (id >= limit_) return false;
    const Entry& e = entry(id);
    return e.key != nullptr && e.key_size == key.size() && same(e.key, key);
  }

 private:
  static constexpr unsigned kBlockBits = 12;
  static constexpr std::uint32_t kBlockMask = (1u << kBlockBits) - 1;
  struct Slot {
    std::uint32_t tag;
    std::uint32_t id;  // kNone: empty
  };
  struct Segment {
    std::vector<Slot> slots;
    std::uint32_t used = 0;
  };

  // Keys are short: a call of memcmp would cost more than the comparison.
  static bool same(const char* a, std::string_view key) {
    const char* b = key.data();
    std::size_t size = key.size();
    const auto differ = [&](std::size_t at) {
      std::uint64_t x, y;
      std::memcpy(&x, a + at, sizeof x);
      std::memcpy(&y, b + at, sizeof y);
      return x != y;
    };
    if (size < 8) return size == 0 || std::memcmp(a, b, size) == 0;
    for (std::size_t at = 0; at + 8 < size; at += 8)
      if (differ(at)) return false;
    return !differ(size - 8);
  }
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash); }
  void grow(Segment& segment);
  const char* store(std::string_view key, Entry& entry);
  void release(const char* key, std::uint32_t size);

  std::vector<Segment> segments_;
  std::vector<std::unique_ptr<Entry[]>> blocks_;
  std::vector<std::uint32_t> free_ids_;
  std::uint32_t limit_ = 0;
  std::size_t live_ = 0;

  // Slabs are cut into pieces of 8, 16, … 512 bytes; longer keys are allocated one by one.
  static constexpr std::size_t kSlab = 256 * 1024;
  static constexpr std::size_t kClasses = 64;
  std::vector<std::unique_ptr<char[]>> slabs_;
  std::vector<std::vector<char*>> free_bytes_ = std::vector<std::vector<char*>>(kClasses);
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace streamd::window
