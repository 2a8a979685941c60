// SPDX-License-Identifier: Apache-2.0
// HeldRecords: the records of both sides that wait for partners, by key, on one worker, and their
// rows on disk. A record is held until event time has passed its `due`; whoever owns this decides
// what happens then. One thread.
//
//   sub key   "j", text of the key (core/key.h), side (1 byte), number (8 bytes in order)
//   value     version byte, matched (1 byte), signed time, varint id, text of the raw bytes,
//             varint n, then n times text name, text value (core/key.h)
#pragma once

#include "engine/api/state.h"
#include "operators/key_map.h"
#include "operators/window/share.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::join {

enum Side : std::uint8_t { kFirst = 0, kSecond = 1 };
inline Side other(Side side) { return side == kFirst ? kSecond : kFirst; }

struct Held {
  std::int64_t time = 0;     // microseconds
  std::uint64_t id = 0;      // of the record, the same at every run
  std::uint64_t number = 0;  // names its row among those of its key and side
  bool matched = false;      // it has been part of a result
  bool changed = true;       // to be written
  bool stored = false;       // there is a row of it
  std::string raw;           // its bytes, where the result is to have them
  std::string values;        // of the side's columns, one after the other (core/key.h)
};

class HeldRecords {
 public:
  static constexpr std::size_t kUnchanged = SIZE_MAX;
  struct Key {
    std::array<std::deque<Held>, 2> sides;  // ascending by time, then number
    std::array<std::uint64_t, 2> next = {};
    std::int64_t due = INT64_MAX;
    std::uint8_t group = 0;
    std::size_t changed = kUnchanged;  // its place in changed_
  };
  using Map = KeyMap<Key>;
  using Entry = Map::value_type;

  struct Settings {
    std::array<std::vector<std::string>, 2> names;  // of the columns of each side
    std::array<std::int64_t, 2> keep = {};          // due = time + keep, microseconds
    std::uint64_t max_keys = 0;                     // of this worker
    std::uint64_t max_records = 0;                  // of one key and side
  };
  HeldRecords(window::Share share, std::uint64_t seed, Settings settings);

  // Null: there are max_keys others.
  Entry* at(std::string_view key, std::uint64_t hash);
  bool is_full(const Entry& entry, Side side) const {
    return entry.second.sides[side].size() >= settings_.max_records;
  }
  void add(Entry& entry, Side side, Held record);
  // One of the entry's records has changed.
  void note(Entry& entry);

  // The entry with the smallest due below `w`, the key deciding between equals; null: none.
  Entry* first_due(std::int64_t w);
  // Forgets the records whose due is that of the entry, and the entry itself with its last one.
  void settle(Entry& entry);

  void checkpoint(StateWriter& state);
  Status restore(StateReader& state);
  std::size_t keys() const { return keys_.size(); }

 private:
  using Due = std::set<std::pair<std::int64_t, std::string_view>>;

  void schedule(Entry& entry);
  void forget(Entry& entry);
  bool read(std::string_view sub_key, std::string_view value, unsigned group);
  void write(const Entry& entry, Side side, const Held& record, StateWriter& state);

  const window::Share share_;
  const Settings settings_;
  Map keys_;
  Due due_;
  std::vector<Entry*> changed_;
  std::vector<std::pair<unsigned, std::string>> gone_;  // rows of forgotten records
  std::string text_;
};

}  // namespace streamd::join
