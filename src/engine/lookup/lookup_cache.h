// SPDX-License-Identifier: Apache-2.0
// LookupCache: what was found under the keys that came last, and under which there was nothing,
// each for its time. Bounded: a new key takes the place of one that was not asked for since the
// hand passed it (second chance). A hit touches three places in memory: the index, the slot, and
// the block that holds values, key and texts side by side. One per worker, its thread only.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/time.h"
#include "engine/core/value.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace streamd {

class LookupCache {
 public:
  struct Options {
    std::uint32_t size = 0;  // keys; 0: nothing is kept
    Duration ttl;            // for what was found
    Duration negative_ttl;   // for what was not
    std::size_t fields = 0;  // values of each key
    std::uint64_t seed = 0;
  };
  explicit LookupCache(const Options& options) : options_(options) {}

  enum class Hit { unknown, found, nothing };
  // found: `into` gets the values, texts copied into the arena.
  Hit find(std::string_view key, Duration now, Arena& arena, Value* into);
  // values: those of the key, without lists and maps; null: there is nothing. A key that is there
  // gets new values.
  void put(std::string_view key, Duration now, const Value* values);
  void clear();
  std::size_t size() const { return slots_.size(); }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Slot {
    std::unique_ptr<char[]> block;  // values, key, texts
    Duration good_until;
    std::uint32_t tag = 0;
    std::uint32_t key_size = 0, text_size = 0;
    bool found = false;
    bool asked = false;
  };
  struct Place {
    std::uint32_t tag;
    std::uint32_t slot;  // kNone: empty
  };

  std::uint32_t tag_of(std::string_view key) const;
  std::size_t front() const { return options_.fields * sizeof(Value); }
  bool is(const Slot& slot, std::string_view key) const;
  std::uint32_t slot_of(std::string_view key, std::uint32_t tag) const;
  std::uint32_t take_slot();
  void enter(std::uint32_t tag, std::uint32_t slot);
  void leave(std::uint32_t slot);
  void grow();

  const Options options_;
  std::vector<Slot> slots_;
  std::vector<Place> index_;  // open addressing, at most half full; a power of two
  std::size_t hand_ = 0;
};

}  // namespace streamd
