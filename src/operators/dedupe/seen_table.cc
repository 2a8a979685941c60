// SPDX-License-Identifier: Apache-2.0
#include "operators/dedupe/seen_table.h"

#include "engine/core/fetch_line.h"
#include "engine/core/time.h"

#include <algorithm>
#include <vector>

namespace streamd::dedupe {
namespace {

constexpr std::uint32_t kSmallest = 8;
constexpr std::size_t kSample = 1 << 16;

}  // namespace

SeenTable::SeenTable(std::int64_t within) : within_(within) {}

bool SeenTable::expired(std::int64_t time, std::int64_t watermark) const {
  return saturating_add(time, within_) <= watermark;
}

std::int64_t* SeenTable::find(unsigned group, const Fingerprint& key, std::int64_t time,
                              std::int64_t floor) {
  Table& table = tables_[group];
  if (table.used == 0) return nullptr;
  for (std::uint32_t at = home(key, table.capacity);;) {
    Slot& slot = table.slots[at];
    if (slot.time == kFree) return nullptr;
    if (slot.key == key && !expired(slot.time, floor)) {
      const std::int64_t apart =
          slot.time < time ? saturating_sub(time, slot.time) : saturating_sub(slot.time, time);
      if (apart < within_) return &slot.time;
    }
    if (++at == table.capacity) at = 0;
  }
}

void SeenTable::place(Slot* slots, std::uint32_t capacity, const Slot& slot) {
  std::uint32_t at = home(slot.key, capacity);
  while (slots[at].time != kFree)
    if (++at == capacity) at = 0;
  slots[at] = slot;
}

void SeenTable::insert(unsigned group, const Fingerprint& key, std::int64_t time) {
  Table& table = tables_[group];
  if (std::uint64_t{table.used + 1} * 4 > std::uint64_t{table.capacity} * 3)
    rebuild(table, table.used + 1, [](const Slot&) { return true; });
  place(table.slots.get(), table.capacity, {key, std::max(time, kFree + 1)});
  ++table.used;
  ++size_;
}

void SeenTable::prefetch(unsigned group, const Fingerprint& key) const {
  const Table& table = tables_[group];
  if (table.capacity > 0) fetch_line(&table.slots[home(key, table.capacity)]);
}

// Twice what is needed: half full now, and bigger again at three quarters.
template <class Keep>
void SeenTable::rebuild(Table& table, std::uint32_t count, Keep keep) {
  const std::uint32_t capacity = std::max(kSmallest, count * 2);
  auto slots = std::make_unique_for_overwrite<Slot[]>(capacity);
  std::fill_n(slots.get(), capacity, Slot{{}, kFree});
  std::uint32_t used = 0;
  for (std::uint32_t at = 0; at < table.capacity; ++at) {
    const Slot& slot = table.slots[at];
    if (slot.time == kFree || !keep(slot)) continue;
    place(slots.get(), capacity, slot);
    ++used;
  }
  size_ -= table.used - used;
  table.slots = std::move(slots);
  table.capacity = capacity;
  table.used = used;
}

void SeenTable::sweep_table(Table& table, std::int64_t watermark) {
  std::uint32_t left = 0;
  for (std::uint32_t at = 0; at < table.capacity; ++at)
    if (table.slots[at].time != kFree && !expired(table.slots[at].time, watermark)) ++left;
  if (left == table.used) return;
  if (left > 0)
    return rebuild(table, left, [&](const Slot& s) { return !expired(s.time, watermark); });
  size_ -= table.used;
  const std::int64_t due = table.due;
  table = {};
  table.due = due;
}

void SeenTable::advance(std::int64_t watermark) {
  const std::int64_t step = std::max<std::int64_t>(1, within_ / 8);
  for (unsigned g = 0; g < kKeyGroups; ++g) {
    Table& table = tables_[g];
    if (!started_) {  // one after the other
      table.due = saturating_add(watermark, step / kKeyGroups * g);
      continue;
    }
    if (table.due > watermark) continue;
    sweep_table(table, watermark);
    table.due = saturating_add(watermark, step);
  }
  started_ = true;
}

void SeenTable::sweep(std::int64_t watermark) {
  for (Table& table : tables_) sweep_table(table, watermark);
}

void SeenTable::forget_oldest(std::size_t count) {
  count = std::min(count, size_);
  if (count == 0) return;
  std::vector<std::int64_t> times;
  const std::size_t step = std::max<std::size_t>(1, size_ / kSample);
  std::size_t seen = 0;
  for (const Table& table : tables_)
    for (std::uint32_t at = 0; at < table.capacity; ++at)
      if (table.slots[at].time != kFree && seen++ % step == 0)
        times.push_back(table.slots[at].time);
  const std::size_t nth = std::min(times.size() - 1, (count - 1) / step);
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(nth), times.end());
  const std::int64_t newest = times[nth];
  for (Table& table : tables_) {
    if (table.used == 0 || count == 0) continue;
    rebuild(table, table.used, [&](const Slot& slot) {
      if (slot.time > newest || count == 0) return true;
      --count;
      return false;
    });
  }
}

std::size_t SeenTable::memory() const {
  std::size_t bytes = sizeof *this;
  for (const Table& table : tables_) bytes += table.capacity * sizeof(Slot);
  return bytes;
}

}  // namespace streamd::dedupe
