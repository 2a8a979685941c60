// SPDX-License-Identifier: Apache-2.0
// KeyTable: the live keys of one window on one worker. Each has a dense id, which panes and alerts
// use, and an Entry. One segment per key group grows on its own, so no insertion rehashes all keys.
// A slot is (tag, id); the bytes of longer keys live in slabs and are reused when a key is removed.
// One thread.
#pragma once

#include "engine/core/fetch_line.h"
#include "engine/core/key.h"
#include "engine/core/value.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::window {

// A key as a record brings it. A key that is one string need not be encoded to be found: then
// `bytes` is its text.
struct KeyRef {
  std::string_view bytes;
  bool text = false;

  std::size_t encoded_size() const { return bytes.size() + (text ? kTextKeyFront : 0); }
  std::string encoded() const;
};

// One cache line. Short keys live in it, encoded, with zeros behind them; of longer ones, the
// address of their bytes.
struct alignas(64) Entry {
  static constexpr std::size_t kShort = 32;
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;
  static constexpr std::uint16_t kFar = 0xFFFF;
  static constexpr std::uint8_t kStored = 0x80;  // in `flags`: KeyRows

  // Start of the newest pane that has had a cell of this key; sessions: the newest time.
  std::int64_t newest = INT64_MIN;
  // Where the key's cell is in its newest pane of even and of odd number.
  std::uint32_t hint[2] = {};
  std::uint32_t holders = 0;  // of a value: cells that count it
  std::uint32_t key_size = kFree;
  std::uint32_t tag = 0;  // as in the key's slot
  // The newest pane on the other side is so many panes older; 0: there is none; kFar: unknown.
  std::uint16_t behind = 0;
  std::uint8_t group = 0;
  std::uint8_t flags = 0;
  char bytes_here[kShort] = {};

  bool live() const { return key_size != kFree; }
  const char* data() const {
    if (key_size <= kShort) return bytes_here;
    const char* elsewhere = nullptr;
    std::memcpy(&elsewhere, bytes_here, sizeof elsewhere);
    return elsewhere;
  }
  std::string_view bytes() const { return {data(), key_size}; }
};
static_assert(sizeof(Entry) == 64);

class KeyTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // A key that will be looked for, and the id that its hash led to when it was fetched (guess()).
  struct Sought {
    std::uint64_t hash = 0;  // hash_key() of it
    std::uint32_t guess = kNone;
  };

  KeyTable() { segments_.fill({&kEmpty, 0, 0}); }
  ~KeyTable();
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  std::size_t size() const { return live_; }
  // Ids are below this.
  std::uint32_t limit() const { return limit_; }

  // The id of a key, or kNone. hash: hash_key() of the key with the seed of the node.
  std::uint32_t find(KeyRef key, std::uint64_t hash) const;
  std::uint32_t find(std::string_view encoded, std::uint64_t hash) const {
    return find(KeyRef{encoded, false}, hash);
  }
  std::uint32_t find(KeyRef key, Sought sought) const {
    const std::uint32_t id = sought.guess != kNone ? sought.guess : likely(sought.hash);
    if (is(id, key)) [[likely]]
      return id;
    return id == kNone ? kNone : find(key, sought.hash);
  }
  std::uint32_t insert(KeyRef key, std::uint64_t hash);  // the key must be absent
  // The same with an id that is not in use. Before the next insert(), settle() finds the ids
  // between.
  void insert_as(std::uint32_t id, KeyRef key, std::uint64_t hash);
  void settle();
  void remove(std::uint32_t id);

  // The `count` keys (at most all) with the smallest Entry::newest; of equal ones, always the same.
  std::vector<std::uint32_t> oldest(std::size_t count) const;

  Entry& entry(std::uint32_t id) { return blocks_[id >> kBlockBits][id & kBlockMask]; }
  const Entry& entry(std::uint32_t id) const { return blocks_[id >> kBlockBits][id & kBlockMask]; }

  // Three steps that fetch what find() will touch; the second and third need the one before.
  void prefetch_slot(std::uint64_t hash) const {
    const Segment& segment = segments_[key_group(hash)];
    fetch_line(&segment.slots[tag_of(hash) & segment.mask]);
  }
  // The slot of a key that is there: what remove() will touch besides its entry.
  void fetch_slot(std::uint32_t id) const {
    const Entry& e = entry(id);
    const Segment& segment = segments_[e.group];
    fetch_line(&segment.slots[e.tag & segment.mask]);
  }
  // Probably the id, or kNone.
  std::uint32_t guess(std::uint64_t hash) const {
    const std::uint32_t id = likely(hash);
    if (id != kNone) fetch_line(&entry(id));
    return id;
  }
  // Whether a guess, however old, is the id of this key.
  bool is(std::uint32_t id, KeyRef key) const {
    if (id >= limit_) return false;
    const Entry& e = entry(id);
    if (e.key_size != key.encoded_size()) return false;
    const char* const bytes = e.data();
    if (!key.text) return same(bytes, key.bytes);
    // One field, so the length in front of the text is right when the size is.
    return bytes[0] == static_cast<char>(Kind::string) && same(bytes + kTextKeyFront, key.bytes);
  }
  // So few keys that they are in the nearest caches anyway.
  bool small() const { return live_ < 1024; }

 private:
  static constexpr unsigned kBlockBits = 12;
  static constexpr std::uint32_t kBlockMask = (1u << kBlockBits) - 1;
  struct Slot {
    std::uint32_t tag;
    std::uint32_t id;  // kNone: empty
  };
  // There is always a free slot in it; all segments begin with the same empty one.
  struct Segment {
    const Slot* slots = nullptr;
    std::uint32_t mask = 0;
    std::uint32_t used = 0;
  };
  static constexpr Slot kEmpty{0, kNone};

  // Keys are short: a call of memcmp would cost more than the comparison.
  static bool same(const char* a, std::string_view key) {
    const char* b = key.data();
    const std::size_t size = key.size();
    if (size >= 8) {
      for (std::size_t at = 0; at + 8 < size; at += 8)
        if (differ<std::uint64_t>(a + at, b + at)) return false;
      return !differ<std::uint64_t>(a + size - 8, b + size - 8);
    }
    if (size >= 4)
      return !differ<std::uint32_t>(a, b) && !differ<std::uint32_t>(a + size - 4, b + size - 4);
    for (std::size_t at = 0; at < size; ++at)
      if (a[at] != b[at]) return false;
    return true;
  }
  template <class Word>
  static bool differ(const char* a, const char* b) {
    Word x, y;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    return x != y;
  }
  // The id of the first key with as much of the hash as a slot keeps. kNone: no key has the hash.
  std::uint32_t likely(std::uint64_t hash) const {
    const Segment& segment = segments_[key_group(hash)];
    const std::uint32_t tag = tag_of(hash);
    for (std::uint32_t at = tag & segment.mask;; at = (at + 1) & segment.mask) {
      const Slot slot = segment.slots[at];
      if (slot.id == kNone || slot.tag == tag) return slot.id;
    }
  }
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash); }
  void grow(unsigned group);
  // The slots of a segment that has some of its own.
  Slot* slots_of(unsigned group) { return slots_[group].get(); }
  char* room_for(std::size_t size, Entry& entry);
  void release(Entry& entry);

  std::array<Segment, kKeyGroups> segments_;
  std::array<std::unique_ptr<Slot[]>, kKeyGroups> slots_;
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
