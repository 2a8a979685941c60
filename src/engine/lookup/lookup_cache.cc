// SPDX-License-Identifier: Apache-2.0
#include "engine/lookup/lookup_cache.h"

#include "engine/core/hash.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace streamd {
namespace {

bool has_text(const Value& value) {
  switch (value.kind()) {
    case Kind::string:
    case Kind::json:
    case Kind::bytes:
    case Kind::ip:
    case Kind::cidr: return true;
    default: return false;
  }
}

Value with_text(const Value& value, std::string_view text) {
  switch (value.kind()) {
    case Kind::json: return Value::json(text);
    case Kind::bytes: return Value::bytes(text);
    case Kind::ip: return Value::ip(text);
    case Kind::cidr: return Value::cidr(text);
    default: return Value::string(text);
  }
}

}  // namespace

std::uint32_t LookupCache::tag_of(std::string_view key) const {
  return static_cast<std::uint32_t>(hash_bytes(key, options_.seed));
}

bool LookupCache::is(const Slot& slot, std::string_view key) const {
  return slot.key_size == key.size() &&
         std::string_view(slot.block.get() + front(), slot.key_size) == key;
}

std::uint32_t LookupCache::slot_of(std::string_view key, std::uint32_t tag) const {
  if (index_.empty()) return kNone;
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = tag & mask;; at = (at + 1) & mask) {
    const Place& place = index_[at];
    if (place.slot == kNone) return kNone;
    if (place.tag == tag && is(slots_[place.slot], key)) return place.slot;
  }
}

LookupCache::Hit LookupCache::find(std::string_view key, Duration now, Arena& arena, Value* into) {
  const std::uint32_t at = slot_of(key, tag_of(key));
  if (at == kNone) return Hit::unknown;
  Slot& slot = slots_[at];
  if (now >= slot.good_until) return Hit::unknown;
  slot.asked = true;
  if (!slot.found) return Hit::nothing;
  std::memcpy(into, slot.block.get(), front());
  if (slot.text_size == 0) return Hit::found;
  const char* texts =
      arena.copy({slot.block.get() + front() + slot.key_size, slot.text_size}).data();
  for (std::size_t f = 0; f < options_.fields; ++f) {
    if (!has_text(into[f])) continue;
    const std::size_t size = into[f].size();
    into[f] = with_text(into[f], {texts, size});
    texts += size;
  }
  return Hit::found;
}

std::uint32_t LookupCache::take_slot() {
  if (slots_.size() < options_.size) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  while (slots_[hand_].asked) {
    slots_[hand_].asked = false;
    hand_ = (hand_ + 1) % slots_.size();
  }
  const auto taken = static_cast<std::uint32_t>(hand_);
  hand_ = (hand_ + 1) % slots_.size();
  leave(taken);
  return taken;
}

void LookupCache::enter(std::uint32_t tag, std::uint32_t slot) {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = tag & mask;
  while (index_[at].slot != kNone) at = (at + 1) & mask;
  index_[at] = {tag, slot};
}

// Moves later places of the run back, so that no marks of what is gone are needed.
void LookupCache::leave(std::uint32_t slot) {
  const std::size_t mask = index_.size() - 1;
  std::size_t hole = slots_[slot].tag & mask;
  while (index_[hole].slot != slot) hole = (hole + 1) & mask;
  for (std::size_t at = (hole + 1) & mask; index_[at].slot != kNone; at = (at + 1) & mask) {
    const std::size_t home = index_[at].tag & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole].slot = kNone;
}

void LookupCache::grow() {
  if (index_.size() >= 2 * (slots_.size() + 1)) return;
  const std::size_t size = std::max<std::size_t>(16, index_.size() * 2);
  const std::vector<Place> before = std::exchange(index_, std::vector<Place>(size, {0, kNone}));
  for (const Place& place : before)
    if (place.slot != kNone) enter(place.tag, place.slot);
}

void LookupCache::put(std::string_view key, Duration now, const Value* values) {
  if (options_.size == 0) return;
  const std::uint32_t tag = tag_of(key);
  std::uint32_t at = slot_of(key, tag);
  if (at == kNone) {
    grow();
    at = take_slot();
    enter(tag, at);
  }
  std::size_t text_size = 0;
  for (std::size_t f = 0; values != nullptr && f < options_.fields; ++f)
    if (has_text(values[f])) text_size += values[f].size();
  auto block = std::make_unique_for_overwrite<char[]>(front() + key.size() + text_size);
  if (values != nullptr) std::memcpy(block.get(), values, front());
  char* to = block.get() + front();
  to = std::copy(key.begin(), key.end(), to);
  for (std::size_t f = 0; values != nullptr && f < options_.fields; ++f)
    if (has_text(values[f])) to = std::copy_n(values[f].text().data(), values[f].size(), to);
  Slot& slot = slots_[at];
  slot.block = std::move(block);
  slot.tag = tag;
  slot.key_size = static_cast<std::uint32_t>(key.size());
  slot.text_size = static_cast<std::uint32_t>(text_size);
  slot.found = values != nullptr;
  slot.asked = false;
  slot.good_until = now + (slot.found ? options_.ttl : options_.negative_ttl);
}

void LookupCache::clear() {
  index_.clear();
  slots_.clear();
  hand_ = 0;
}

}  // namespace streamd
