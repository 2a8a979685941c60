// SPDX-License-Identifier: Apache-2.0
#include "operators/window/key_table.h"

#include <algorithm>
#include <cstring>

namespace streamd::window {

std::string KeyRef::encoded() const {
  std::string key;
  if (text)
    append_key(Value::string(bytes), key);
  else
    key = bytes;
  return key;
}

KeyTable::~KeyTable() {
  for (std::uint32_t id = 0; id < limit_; ++id) {
    const Entry& e = entry(id);
    if (e.live() && e.key_size > kClasses * 8) delete[] e.data();
  }
}

std::uint32_t KeyTable::find(KeyRef key, std::uint64_t hash) const {
  const Segment& segment = segments_[key_group(hash)];
  const std::uint32_t tag = tag_of(hash);
  for (std::uint32_t at = tag & segment.mask;; at = (at + 1) & segment.mask) {
    const Slot slot = segment.slots[at];
    if (slot.id == kNone) return kNone;
    if (slot.tag == tag && is(slot.id, key)) return slot.id;
  }
}

std::uint32_t KeyTable::insert(KeyRef key, std::uint64_t hash) {
  std::uint32_t id = limit_;
  if (!free_ids_.empty()) {
    id = free_ids_.back();
    free_ids_.pop_back();
  }
  insert_as(id, key, hash);
  return id;
}

void KeyTable::insert_as(std::uint32_t id, KeyRef key, std::uint64_t hash) {
  const unsigned group = key_group(hash);
  Segment& segment = segments_[group];
  if ((std::uint64_t{segment.used} + 1) * 10 > std::uint64_t{segment.mask} * 7) grow(group);
  if (id >= limit_) {
    limit_ = id + 1;
    while ((id >> kBlockBits) >= blocks_.size())
      blocks_.push_back(std::make_unique<Entry[]>(std::size_t{1} << kBlockBits));
  }
  Entry& e = entry(id);
  e = Entry{};
  char* to = room_for(key.encoded_size(), e);
  if (key.text) {
    write_text_key_front(key.bytes, to);
    to += kTextKeyFront;
  }
  if (!key.bytes.empty()) std::memcpy(to, key.bytes.data(), key.bytes.size());
  e.key_size = static_cast<std::uint32_t>(key.encoded_size());
  e.tag = tag_of(hash);
  e.group = static_cast<std::uint8_t>(group);
  Slot* const slots = slots_of(group);
  std::uint32_t at = e.tag & segment.mask;
  while (slots[at].id != kNone) at = (at + 1) & segment.mask;
  slots[at] = {e.tag, id};
  ++segment.used;
  ++live_;
}

void KeyTable::settle() {
  free_ids_.clear();
  for (std::uint32_t id = limit_; id-- > 0;)
    if (!entry(id).live()) free_ids_.push_back(id);
}

void KeyTable::remove(std::uint32_t id) {
  Entry& e = entry(id);
  Segment& segment = segments_[e.group];
  Slot* const slots = slots_of(e.group);
  const std::uint32_t mask = segment.mask;
  std::uint32_t hole = e.tag & mask;
  while (slots[hole].id != id) hole = (hole + 1) & mask;
  // Move later slots of the run back, so that no tombstones are needed.
  for (std::uint32_t at = (hole + 1) & mask; slots[at].id != kNone; at = (at + 1) & mask) {
    const std::uint32_t home = slots[at].tag & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots[hole] = slots[at];
    hole = at;
  }
  slots[hole].id = kNone;
  --segment.used;
  --live_;
  release(e);
  e = Entry{};
  free_ids_.push_back(id);
}

std::vector<std::uint32_t> KeyTable::oldest(std::size_t count) const {
  // What is compared lies side by side: going back to the entries would wait for memory each time.
  struct Candidate {
    std::int64_t newest;
    std::uint32_t tag;
    std::uint32_t id;
  };
  std::vector<Candidate> all;
  all.reserve(live_);
  for (std::uint32_t id = 0; id < limit_; ++id)
    if (const Entry& e = entry(id); e.live()) all.push_back({e.newest, e.tag, id});
  count = std::min(count, all.size());
  if (count == 0) return {};
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count) - 1, all.end(),
                   [this](const Candidate& a, const Candidate& b) {
                     if (a.newest != b.newest) return a.newest < b.newest;
                     if (a.tag != b.tag) return a.tag < b.tag;
                     return entry(a.id).bytes() < entry(b.id).bytes();
                   });
  std::vector<std::uint32_t> ids;
  ids.reserve(count);
  for (std::size_t i = 0; i < count; ++i) ids.push_back(all[i].id);
  return ids;
}

void KeyTable::grow(unsigned group) {
  Segment& segment = segments_[group];
  const std::uint32_t old = slots_[group] ? segment.mask + 1 : 0;
  const std::uint32_t size = old == 0 ? 8 : old * 2;
  auto bigger = std::make_unique_for_overwrite<Slot[]>(size);
  std::fill_n(bigger.get(), size, kEmpty);
  for (std::uint32_t i = 0; i < old; ++i) {
    const Slot slot = segment.slots[i];
    if (slot.id == kNone) continue;
    std::uint32_t at = slot.tag & (size - 1);
    while (bigger[at].id != kNone) at = (at + 1) & (size - 1);
    bigger[at] = slot;
  }
  slots_[group] = std::move(bigger);
  segment.slots = slots_[group].get();
  segment.mask = size - 1;
}

char* KeyTable::room_for(std::size_t size, Entry& entry) {
  if (size <= Entry::kShort) return entry.bytes_here;
  char* at = nullptr;
  if (size > kClasses * 8) {
    at = new char[size];
  } else {
    const std::size_t pieces = (size + 7) / 8;
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
  std::memcpy(entry.bytes_here, &at, sizeof at);
  return at;
}

void KeyTable::release(Entry& entry) {
  if (entry.key_size <= Entry::kShort) return;
  char* key = nullptr;
  std::memcpy(&key, entry.bytes_here, sizeof key);
  if (entry.key_size > kClasses * 8) {
    delete[] key;
    return;
  }
  const std::size_t pieces = (std::size_t{entry.key_size} + 7) / 8;
  free_bytes_[pieces - 1].push_back(key);
}

}  // namespace streamd::window
