// SPDX-License-Identifier: Apache-2.0
// SeenTable: the keys that one dedupe node remembers on one worker, 24 bytes each in open tables,
// one per key group, filled to between a half and three quarters: 32 to 48 bytes a key. One thread.
//
// A key that comes again after `within` gets a second entry, so that a record out of order finds
// the one that is near it. Entries are never taken out one by one: event time sweeps one table
// after the other, each once per eighth of `within`, and makes it anew without what has expired.
// So an entry is looked at nine times at most, and no sweep is longer than 1/256 of the keys.
#pragma once

#include "engine/core/hash.h"
#include "operators/dedupe/fingerprint.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace streamd::dedupe {

class SeenTable {
 public:
  // Microseconds, above 0.
  explicit SeenTable(std::int64_t within);

  // The time of an entry of this key less than `within` away from `time`, or null. Entries that a
  // watermark at `floor` lets expire do not count, whether they are still there or not. Valid until
  // the next insertion.
  std::int64_t* find(unsigned group, const Fingerprint& key, std::int64_t time, std::int64_t floor);
  void insert(unsigned group, const Fingerprint& key, std::int64_t time);
  void prefetch(unsigned group, const Fingerprint& key) const;

  // Sweeps the tables whose turn it is. Monotone.
  void advance(std::int64_t watermark);
  // Sweeps all tables.
  void sweep(std::int64_t watermark);
  // Forgets about `count` entries, the oldest ones as far as a sample of all tells.
  void forget_oldest(std::size_t count);

  bool expired(std::int64_t time, std::int64_t watermark) const;
  std::size_t size() const { return size_; }
  std::size_t memory() const;  // bytes of the tables

 private:
  struct Slot {
    Fingerprint key;
    std::int64_t time;  // kFree: empty
  };
  struct Table {
    std::unique_ptr<Slot[]> slots;
    std::uint32_t capacity = 0;
    std::uint32_t used = 0;
    std::int64_t due = 0;  // watermark of its next sweep
  };
  static constexpr std::int64_t kFree = INT64_MIN;

  static std::uint32_t home(const Fingerprint& key, std::uint32_t capacity) {
    return static_cast<std::uint32_t>((static_cast<Uint128>(key.low) * capacity) >> 64);
  }
  static void place(Slot* slots, std::uint32_t capacity, const Slot& slot);
  // The table anew with room for `count`, and what `keep` says of its entries.
  template <class Keep>
  void rebuild(Table& table, std::uint32_t count, Keep keep);
  void sweep_table(Table& table, std::int64_t watermark);

  const std::int64_t within_;
  std::array<Table, kKeyGroups> tables_;
  std::size_t size_ = 0;
  bool started_ = false;  // the watermark has begun to move
};

}  // namespace streamd::dedupe
