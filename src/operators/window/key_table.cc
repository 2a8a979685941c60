// SPDX-License-Identifier: Apache-2.0
#include "operators/window/key_table.h"

#include <cstring>

namespace streamd::window {

KeyTable::~KeyTable() {
  for (std::uint32_t id = 0; id < limit_; ++id) {
    const Entry& e = entry(id);
    if (e.key != nullptr && e.key_size > kClasses * 8) delete[] e.key;
  }
}

std::uint32_t KeyTable::find(std::string_view key, std::uint64_t hash) const {
  const Segment& segment = segments_[key_group(hash)];
  if (segment.slots.empty()) return kNone;
  const std::size_t mask = segment.slots.size() - 1;
  const std::uint32_t tag = tag_of(hash);
  for (std::size_t at = tag & mask;; at = (at + 1) & mask) {
    const Slot slot = segment.slots[at];
    if (slot.id == kNone) return kNone;
    if (slot.tag == tag && is(slot.id, key)) return slot.id;
  }
}

std::uint32_t KeyTable::insert(std::string_view key, std::uint64_t hash) {
  Segment& segment = segments_[key_group(hash)];
  if (segment.slots.empty() || (segment.used + 1) * 10 > segment.slots.size() * 7) grow(segment);
  std::uint32_t id = 0;
  if (free_ids_.empty()) {
    id = limit_++;
    if ((id >> kBlockBits) == blocks_.size())
      blocks_.push_back(std::make_unique<Entry[]>(std::size_t{1} << kBlockBits));
  } else {
    id = free_ids_.back();
    free_ids_.pop_back();
  }
  Entry& e = entry(id);
  e = Entry{};
  e.key = store(key, e);
  e.key_size = static_cast<std::uint32_t>(key.size());
  e.group = static_cast<std::uint16_t>(key_group(hash));
  const std::size_t mask = segment.slots.size() - 1;
  std::size_t at = tag_of(hash) & mask;
  while (segment.slots[at].id != kNone) at = (at + 1) & mask;
  segment.slots[at] = {tag_of(hash), id};
  ++segment.used;
  ++live_;
  return id;
}

void KeyTable::remove(std::uint32_t id, std::uint64_t hash) {
  Segment& segment = segments_[key_group(hash)];
  const std::size_t mask = segment.slots.size() - 1;
  std::size_t hole = tag_of(hash) & mask;
  while (segment.slots[hole].id != id) hole = (hole + 1) & mask;
  // Move later slots of the run back, so that no tombstones are needed.
  for (std::size_t at = (hole + 1) & mask; segment.slots[at].id != kNone; at = (at + 1) & mask) {
    const std::size_t home = segment.slots[at].tag & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    segment.slots[hole] = segment.slots[at];
    hole = at;
  }
  segment.slots[hole].id = kNone;
  --segment.used;
  --live_;
  Entry& e = entry(id);
  release(e.key, e.key_size);
  e = Entry{};
  free_ids_.push_back(id);
}

void KeyTable::prefetch_slot(std::uint64_t hash) const {
  const Segment& segment = segments_[key_group(hash)];
  if (!segment.slots.empty())
    __builtin_prefetch(&segment.slots[tag_of(hash) & (segment.slots.size() - 1)]);
}

std::uint32_t KeyTable::guess(std::uint64_t hash) const {
  const Segment& segment = segments_[key_group(hash)];
  if (segment.slots.empty()) return kNone;
  const std::size_t mask = segment.slots.size() - 1;
  const std::uint32_t tag = tag_of(hash);
  for (std::size_t at = tag & mask;; at = (at + 1) & mask) {
    const Slot slot = segment.slots[at];
    if (slot.id == kNone) return kNone;
    if (slot.tag != tag) continue;
    __builtin_prefetch(&entry(slot.id));
    return slot.id;
  }
}

void KeyTable::grow(Segment& segment) {
  std::vector<Slot> bigger(segment.slots.empty() ? 8 : segment.slots.size() * 2, Slot{0, kNone});
  const std::size_t mask = bigger.size() - 1;
  for (const Slot slot : segment.slots) {
    if (slot.id == kNone) continue;
    std::size_t at = slot.tag & mask;
    while (bigger[at].id != kNone) at = (at + 1) & mask;
    bigger[at] = slot;
  }
  segment.slots = std::move(bigger);
}

const char* KeyTable::store(std::string_view key, Entry& entry) {
  char* at = nullptr;
  if (key.size() <= Entry::kShort) {
    if (!key.empty()) std::memcpy(entry.bytes_here, key.data(), key.size());
    return entry.bytes_here;
  }
  if (key.size() > kClasses * 8) {
    at = new char[key.size()];
  } else {
    const std::size_t pieces = (key.size() + 7) / 8;
    auto& reusable = free_bytes_[pieces - 1];
    if (!reusable.empty()) {
      at = reusable.back();
      reusable.pop_back();
    } else {
      if (left_ < pieces * 8) {
        slabs_.push_back(std::make_unique_for_overwrite<char[]>(kSlab));
        next_ = slabs_.back().get();
        left_ = kSlab;
      }
      at = next_;
      next_ += pieces * 8;
      left_ -= pieces * 8;
    }
  }
  std::memcpy(at, key.data(), key.size());
  return at;
}

void KeyTable::release(const char* key, std::uint32_t size) {
  if (size <= Entry::kShort) return;
  if (size > kClasses * 8) {
    delete[] key;
    return;
  }
  const std::size_t pieces = (std::size_t{size} + 7) / 8;
  free_bytes_[pieces - 1].push_back(const_cast<char*>(key));
}

}  // namespace streamd::window
